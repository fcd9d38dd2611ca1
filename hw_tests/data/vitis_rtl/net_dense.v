// SPDX-License-Identifier: Apache-2.0
`timescale 1 ns / 1 ps

// A DATAFLOW process: reads a frame, then multiplies and adds one weight in two cycles; with Steps, counts thresholds.
module net_dense (
        ap_clk,
        ap_rst,
        ap_start,
        start_full_n,
        start_write,
        ap_done,
        ap_idle,
        ap_ready,
        in_dout,
        in_empty_n,
        in_read,
        out_din,
        out_full_n,
        out_write,
        apdone_blk
);

parameter    Lanes = 1;
parameter    Beats = 1;
parameter    Rows = 1;
parameter    Steps = 0;
parameter    WeightFile = "";
parameter    StepFile = "";
parameter    ap_ST_fsm_state1 = 7'd1;
parameter    ap_ST_fsm_state2 = 7'd2;
parameter    ap_ST_fsm_state3 = 7'd4;
parameter    ap_ST_fsm_state4 = 7'd8;
parameter    ap_ST_fsm_state5 = 7'd16;
parameter    ap_ST_fsm_state6 = 7'd32;
parameter    ap_ST_fsm_state7 = 7'd64;

input   ap_clk;
input   ap_rst;
input   ap_start;
input   start_full_n;
output   start_write;
output   ap_done;
output   ap_idle;
output   ap_ready;
input  [15:0] in_dout;
input   in_empty_n;
output   in_read;
output  [15:0] out_din;
input   out_full_n;
output   out_write;
input   apdone_blk;

(* fsm_encoding = "none" *) reg   [6:0] ap_CS_fsm;
reg   [6:0] ap_NS_fsm;
wire    real_start;
reg  [3:0] x [0:Lanes*Beats-1];
reg  signed [15:0] acc;
reg  [15:0] count;
reg  [15:0] beat;
reg  [15:0] column;
reg  [15:0] row;
reg  [15:0] bit; // A keyword of SystemVerilog alone: the threshold.
wire  signed [3:0] weight;
wire  signed [11:0] threshold;
integer lane;

// power-on initialization
initial begin
#0 ap_CS_fsm = 7'd1;
end

net_ROM_AUTO_1R #(
    .DataWidth( 4 ),
    .AddressRange( Rows * Lanes * Beats ),
    .File( WeightFile ))
weights_U(
    .clk(ap_clk),
    .address0(row * Lanes * Beats + column),
    .ce0(1'b1),
    .q0(weight)
);

generate
if (Steps > 0) begin : gen_steps
    net_ROM_AUTO_1R #(
        .DataWidth( 12 ),
        .AddressRange( Rows * Steps ),
        .File( StepFile ))
    thresholds_U(
        .clk(ap_clk),
        .address0(row * Steps + bit),
        .ce0(1'b1),
        .q0(threshold)
    );
end else begin : gen_none
    assign threshold = 12'd0;
end
endgenerate

assign real_start = ap_start & start_full_n;
assign start_write = real_start & ap_CS_fsm[0];
assign ap_idle = ~ap_start & ap_CS_fsm[0];
assign ap_done = ap_CS_fsm[6] & ~apdone_blk;
assign ap_ready = ap_done;
assign in_read = ap_CS_fsm[1] & in_empty_n;
assign out_write = ap_CS_fsm[5] & out_full_n;
assign out_din = (Steps > 0) ? count : acc;

always @ (posedge ap_clk) begin
    if (ap_rst == 1'b1) begin
        ap_CS_fsm <= ap_ST_fsm_state1;
    end else begin
        ap_CS_fsm <= ap_NS_fsm;
    end
end

always @ (posedge ap_clk) begin
    if (ap_CS_fsm[0]) begin
        beat <= 16'd0;
        column <= 16'd0;
        row <= 16'd0;
        bit <= 16'd0;
        acc <= 16'd0;
        count <= 16'd0;
    end
    if (in_read) begin
        for (lane = 0; lane < Lanes; lane = lane + 1)
            x[beat * Lanes + lane] <= in_dout[lane * 4 +: 4];
        beat <= beat + 16'd1;
    end
    if (ap_CS_fsm[3]) begin
        acc <= acc + weight * $signed({1'b0, x[column]});
        column <= column + 16'd1;
    end
    if (ap_CS_fsm[4]) begin
        count <= count + (acc >= threshold);
        bit <= bit + 16'd1;
    end
    if (out_write) begin
        column <= 16'd0;
        row <= row + 16'd1;
        bit <= 16'd0;
        acc <= 16'd0;
        count <= 16'd0;
    end
end

// 1 waits for ap_start, 2 reads, 3 addresses, 4 multiplies and 5 compares, 6 writes, 7 waits for the port.
always @ (*) begin
    case (ap_CS_fsm)
        ap_ST_fsm_state1 : ap_NS_fsm = real_start ? ap_ST_fsm_state2 : ap_ST_fsm_state1;
        ap_ST_fsm_state2 : ap_NS_fsm = (in_read & (beat == Beats - 1)) ? ap_ST_fsm_state3 : ap_ST_fsm_state2;
        ap_ST_fsm_state3 : begin
            if (column < Lanes * Beats) begin
                ap_NS_fsm = ap_ST_fsm_state4;
            end else if (bit < Steps) begin
                ap_NS_fsm = ap_ST_fsm_state5;
            end else begin
                ap_NS_fsm = ap_ST_fsm_state6;
            end
        end
        ap_ST_fsm_state4 : ap_NS_fsm = ap_ST_fsm_state3;
        ap_ST_fsm_state5 : ap_NS_fsm = ap_ST_fsm_state3;
        ap_ST_fsm_state6 : begin
            if (~out_write) begin
                ap_NS_fsm = ap_ST_fsm_state6;
            end else if (row == Rows - 1) begin
                ap_NS_fsm = ap_ST_fsm_state7;
            end else begin
                ap_NS_fsm = ap_ST_fsm_state3;
            end
        end
        ap_ST_fsm_state7 : ap_NS_fsm = ap_done ? ap_ST_fsm_state1 : ap_ST_fsm_state7;
        default : ap_NS_fsm = 'bx;
    endcase
end

endmodule //net_dense
