// SPDX-License-Identifier: Apache-2.0
`timescale 1 ns / 1 ps

// Two words; both sides are registered.
module net_fifo_d2_S (
    clk,
    reset,
    if_din, if_full_n, if_write,
    if_dout, if_empty_n, if_read
);

parameter DataWidth = 1;

input clk;
input reset;
input [DataWidth-1:0] if_din;
output if_full_n;
input if_write;
output [DataWidth-1:0] if_dout;
output if_empty_n;
input if_read;

reg [DataWidth-1:0] shift [0:1];
reg [1:0] words = 2'd0;
wire push;
wire pop;

assign if_full_n = (words != 2'd2);
assign if_empty_n = (words != 2'd0);
assign if_dout = shift[words == 2'd2];
assign push = if_write & if_full_n;
assign pop = if_read & if_empty_n;

always @ (posedge clk) begin
    if (push) begin
        shift[0] <= if_din;
        shift[1] <= shift[0];
    end
    if (reset == 1'b1) begin
        words <= 2'd0;
    end else begin
        words <= words + push - pop;
    end
end

endmodule //net_fifo_d2_S
