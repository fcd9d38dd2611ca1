// SPDX-License-Identifier: Apache-2.0
// Memory of DEPTH words with a write port and a registered read port: LUTRAM, or block RAM.
//
// A read with ``blank`` gives FILL: behind LUTRAM by set and reset of the register, without LUTs.

`default_nettype none

module a2q_memory #(
  parameter int unsigned BITS  = 8,
  parameter int unsigned DEPTH = 4,
  parameter bit          BLOCK = 1'b0,
  parameter logic [BITS-1:0] FILL = '0,
  localparam int unsigned ADDRESS_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
  input  wire logic                    clk,
  input  wire logic                    write,
  input  wire logic [ADDRESS_BITS-1:0] write_address,
  input  wire logic [BITS-1:0]         write_data,
  input  wire logic                    read,
  input  wire logic                    blank,
  input  wire logic [ADDRESS_BITS-1:0] read_address,
  output wire logic [BITS-1:0]         read_data
);
  logic [BITS-1:0] data_q;

  if (BLOCK) begin : gen_block
    (* ram_style = "block" *) logic [BITS-1:0] words [DEPTH];
    logic blank_q;
    always_ff @(posedge clk) begin
      if (write) words[write_address] <= write_data;
      if (read) data_q <= words[read_address];
      if (read) blank_q <= blank;
    end
    assign read_data = blank_q ? FILL : data_q;
  end else begin : gen_distributed
    (* ram_style = "distributed" *) logic [BITS-1:0] words [DEPTH];
    always_ff @(posedge clk) begin
      if (write) words[write_address] <= write_data;
      if (read) data_q <= blank ? FILL : words[read_address];
    end
    assign read_data = data_q;
  end
endmodule

`default_nettype wire
