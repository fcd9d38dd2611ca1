// SPDX-License-Identifier: Apache-2.0
// Constants with a registered read port: LUTs, or block RAM. CONTENT: a file of one word a line.

`default_nettype none

module a2q_rom #(
  parameter int unsigned BITS    = 8,
  parameter int unsigned DEPTH   = 4,
  parameter bit          BLOCK   = 1'b0,
  parameter              CONTENT = "",
  localparam int unsigned ADDRESS_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
  input  wire logic                    clk,
  input  wire logic                    read,
  input  wire logic [ADDRESS_BITS-1:0] address,
  output wire logic [BITS-1:0]         data
);
  logic [BITS-1:0] data_q;
  assign data = data_q;

  if (BLOCK) begin : gen_block
    (* rom_style = "block" *) logic [BITS-1:0] words [DEPTH];
    if (CONTENT != "") begin : gen_content
      initial $readmemh(CONTENT, words);
    end
    always_ff @(posedge clk) if (read) data_q <= words[address];
  end else begin : gen_logic
    (* rom_style = "logic" *) logic [BITS-1:0] words [DEPTH];
    if (CONTENT != "") begin : gen_content
      initial $readmemh(CONTENT, words);
    end
    always_ff @(posedge clk) if (read) data_q <= words[address];
  end
endmodule

`default_nettype wire
