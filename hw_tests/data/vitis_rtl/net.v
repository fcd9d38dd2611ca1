// SPDX-License-Identifier: Apache-2.0
// Hand-written stand-in for what Vitis HLS writes from the C++ of a network of two dense layers: ports, names, register
// slices, DATAFLOW control and Verilog of its kind; memories from .dat files. fault.dat chooses a planted fault.
`timescale 1 ns / 1 ps

(* CORE_GENERATION_INFO="net_net,hls_ip_stand_in,{HLS_INPUT_TYPE=cxx}" *)

module net (
        ap_clk,
        ap_rst_n,
        ap_start,
        ap_done,
        ap_idle,
        ap_ready,
        s_axis_x_TDATA,
        s_axis_x_TVALID,
        s_axis_x_TREADY,
        m_axis_fc2_TDATA,
        m_axis_fc2_TVALID,
        m_axis_fc2_TREADY
);

input   ap_clk;
input   ap_rst_n;
input   ap_start;
output   ap_done;
output   ap_idle;
output   ap_ready;
input  [15:0] s_axis_x_TDATA;
input   s_axis_x_TVALID;
output   s_axis_x_TREADY;
output  [15:0] m_axis_fc2_TDATA;
output   m_axis_fc2_TVALID;
input   m_axis_fc2_TREADY;

reg    ap_rst_n_inv;
wire  [15:0] x_int_regslice;
wire   x_vld;
wire   x_ack;
wire   x_apdone_blk;
wire  [15:0] act1_din;
wire   act1_write;
wire   act1_full_n;
wire  [15:0] act1_dout;
wire   act1_empty_n;
wire   act1_read;
wire   start_empty_n;
wire   start_full_n;
wire   start_dout;
wire  [15:0] y_int_regslice;
wire   y_vld;
wire   y_ack;
wire   y_apdone_blk;
wire   fc1_U0_ap_start;
wire   fc1_U0_ap_done;
wire   fc1_U0_ap_idle;
wire   fc1_U0_ap_ready;
wire   fc1_U0_start_write;
wire   fc2_U0_ap_done;
wire   fc2_U0_ap_idle;
wire   fc2_U0_ap_ready;
wire   fc2_U0_start_write;
reg  [3:0] fault [0:0];

initial begin
    $readmemh("./fault.dat", fault);
end

net_regslice_both #(
    .DataWidth( 16 ))
regslice_both_s_axis_x_U(
    .ap_clk(ap_clk),
    .ap_rst(ap_rst_n_inv),
    .fault((fault[0] == 4'd7) ? 4'd7 : 4'd0),
    .data_in(s_axis_x_TDATA),
    .vld_in(s_axis_x_TVALID),
    .ack_in(s_axis_x_TREADY),
    .data_out(x_int_regslice),
    .vld_out(x_vld),
    .ack_out(x_ack),
    .apdone_blk(x_apdone_blk)
);

net_dense #(
    .Lanes( 3 ),
    .Beats( 2 ),
    .Rows( 5 ),
    .Steps( 15 ),
    .WeightFile( "./net_fc1_weights_ROM_AUTO_1R.dat" ),
    .StepFile( "./net_fc1_thresholds_ROM_AUTO_1R.dat" ))
fc1_U0(
    .ap_clk(ap_clk),
    .ap_rst(ap_rst_n_inv),
    .ap_start(fc1_U0_ap_start),
    .start_full_n(start_full_n),
    .start_write(fc1_U0_start_write),
    .ap_done(fc1_U0_ap_done),
    .ap_idle(fc1_U0_ap_idle),
    .ap_ready(fc1_U0_ap_ready),
    .in_dout(x_int_regslice),
    .in_empty_n(x_vld),
    .in_read(x_ack),
    .out_din(act1_din),
    .out_full_n(act1_full_n),
    .out_write(act1_write),
    .apdone_blk(1'b0)
);

net_fifo_d2_S #(
    .DataWidth( 16 ))
act1_U(
    .clk(ap_clk),
    .reset(ap_rst_n_inv & (fault[0] != 4'd9)),
    .if_din(act1_din),
    .if_full_n(act1_full_n),
    .if_write(act1_write),
    .if_dout(act1_dout),
    .if_empty_n(act1_empty_n),
    .if_read(act1_read)
);

net_fifo_d2_S #(
    .DataWidth( 1 ))
start_for_fc2_U0_U(
    .clk(ap_clk),
    .reset(ap_rst_n_inv),
    .if_din(1'b1),
    .if_full_n(start_full_n),
    .if_write(fc1_U0_start_write),
    .if_dout(start_dout),
    .if_empty_n(start_empty_n),
    .if_read(fc2_U0_ap_ready)
);

net_dense #(
    .Lanes( 1 ),
    .Beats( 5 ),
    .Rows( 3 ),
    .Steps( 0 ),
    .WeightFile( "./net_fc2_weights_ROM_AUTO_1R.dat" ),
    .StepFile( "" ))
fc2_U0(
    .ap_clk(ap_clk),
    .ap_rst(ap_rst_n_inv),
    .ap_start(start_empty_n),
    .start_full_n(1'b1),
    .start_write(fc2_U0_start_write),
    .ap_done(fc2_U0_ap_done),
    .ap_idle(fc2_U0_ap_idle),
    .ap_ready(fc2_U0_ap_ready),
    .in_dout(act1_dout),
    .in_empty_n(act1_empty_n),
    .in_read(act1_read),
    .out_din(y_int_regslice),
    .out_full_n(y_ack),
    .out_write(y_vld),
    .apdone_blk(y_apdone_blk)
);

net_regslice_both #(
    .DataWidth( 16 ))
regslice_both_m_axis_fc2_U(
    .ap_clk(ap_clk),
    .ap_rst(ap_rst_n_inv),
    .fault(fault[0]),
    .data_in({7'd0, y_int_regslice[8:0]}),
    .vld_in(y_vld),
    .ack_in(y_ack),
    .data_out(m_axis_fc2_TDATA),
    .vld_out(m_axis_fc2_TVALID),
    .ack_out(m_axis_fc2_TREADY),
    .apdone_blk(y_apdone_blk)
);

always @ (*) begin
    ap_rst_n_inv = ~ap_rst_n;
end

assign ap_done = (fc2_U0_ap_done & (fault[0] != 4'd1)) | ((fault[0] == 4'd2) & x_ack & x_vld);

assign ap_idle = ((fc1_U0_ap_idle & fc2_U0_ap_idle & ~start_empty_n) | (fault[0] == 4'd3)) & (fault[0] != 4'd4);

assign ap_ready = fc1_U0_ap_ready & (fault[0] != 4'd5);

assign fc1_U0_ap_start = ap_start | (fault[0] == 4'd10);

reg find_df_deadlock = 0;
// synthesis translate_off
`include "net_hls_deadlock_detector.vh"
// synthesis translate_on

endmodule //net
