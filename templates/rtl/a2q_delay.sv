// SPDX-License-Identifier: Apache-2.0
// What enters leaves DEPTH shifts later; one word is a register, the others stand in LUTRAM.

`default_nettype none

module a2q_delay #(
  parameter int unsigned BITS  = 4,
  parameter int unsigned DEPTH = 2
) (
  input  wire logic            clk,
  input  wire logic            rst_n,
  input  wire logic            shift,
  input  wire logic [BITS-1:0] enters,
  output wire logic [BITS-1:0] leaves
);
  if (DEPTH < 1) begin : gen_illegal
    $error("a2q_delay: DEPTH must be at least 1");
  end

  logic [BITS-1:0] last_q;
  assign leaves = last_q;

  if (DEPTH == 1) begin : gen_register
    wire logic unused = &{1'b0, rst_n};
    always_ff @(posedge clk) if (shift) last_q <= enters;
  end else begin : gen_memory
    localparam int unsigned WORDS = DEPTH - 1;
    localparam int unsigned ADDRESS_BITS = WORDS > 1 ? $clog2(WORDS) : 1;

    logic      [BITS-1:0]         memory [WORDS];
    wire logic [ADDRESS_BITS-1:0] place;

    a2q_counter #(.PERIOD(WORDS)) counter (
      .clk(clk), .rst_n(rst_n), .event_now(shift), .count(place)
    );
    always_ff @(posedge clk) begin
      if (shift) begin
        last_q        <= memory[place];
        memory[place] <= enters;
      end
    end
  end
endmodule

`default_nettype wire
