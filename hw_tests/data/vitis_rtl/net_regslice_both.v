// SPDX-License-Identifier: Apache-2.0
`timescale 1 ns / 1 ps

// Register slice of an axis port: two words, so that neither side sees the other one's handshake.
module net_regslice_both (
    ap_clk,
    ap_rst,
    fault,
    data_in, vld_in, ack_in,
    data_out, vld_out, ack_out,
    apdone_blk
);

parameter DataWidth = 32;

input ap_clk;
input ap_rst;
input [3:0] fault;
input [DataWidth-1:0] data_in;
input vld_in;
output ack_in;
output [DataWidth-1:0] data_out;
output vld_out;
input ack_out;
output apdone_blk;

reg [DataWidth-1:0] first;
reg [DataWidth-1:0] second;
reg [1:0] words = 2'd0;
wire push;
wire pop;

// Fault 6: TVALID waits for TREADY. 7: a word that finds no place is lost. 8: a stalled word becomes another one.
assign ack_in = (words != 2'd2) | (fault == 4'd7);
assign push = vld_in & (words != 2'd2);
assign vld_out = (words != 2'd0) & ((fault != 4'd6) | ack_out);
assign pop = (words != 2'd0) & ack_out;
assign data_out = ((fault == 4'd8) & (words == 2'd2)) ? second : first;
assign apdone_blk = (words == 2'd2) | ((words == 2'd1) & ~ack_out);

always @ (posedge ap_clk) begin
    if (pop) begin
        first <= (words == 2'd2) ? second : data_in;
    end else if (words == 2'd0) begin
        first <= data_in;
    end
    if (push & (words == 2'd1) & ~pop) begin
        second <= data_in;
    end
    if (ap_rst == 1'b1) begin
        words <= 2'd0;
    end else begin
        words <= words + push - pop;
    end
end

endmodule //net_regslice_both
