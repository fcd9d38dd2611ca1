// SPDX-License-Identifier: Apache-2.0
// Counts events 0 .. PERIOD-1 and starts again; a period of one needs no register.

`default_nettype none

module a2q_counter #(
  parameter  int unsigned PERIOD = 1,
  localparam int unsigned BITS   = PERIOD > 1 ? $clog2(PERIOD) : 1
) (
  input  wire logic            clk,
  input  wire logic            rst_n,
  input  wire logic            event_now,
  output wire logic [BITS-1:0] count
);
  if (PERIOD == 0) begin : gen_illegal
    $error("a2q_counter: PERIOD must be at least 1");
  end

  if (PERIOD <= 1) begin : gen_constant
    wire logic unused = &{1'b0, clk, rst_n, event_now};
    assign count = '0;
  end else begin : gen_count
    logic [BITS-1:0] count_q;

    assign count = count_q;

    always_ff @(posedge clk) begin
      if (!rst_n) count_q <= '0;
      else if (event_now) count_q <= count_q == BITS'(PERIOD - 1) ? '0 : count_q + BITS'(1);
    end
  end
endmodule

`default_nettype wire
