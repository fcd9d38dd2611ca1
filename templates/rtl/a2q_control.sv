// SPDX-License-Identifier: Apache-2.0
// The ap_ctrl_hs protocol of a Vitis HLS kernel around a chain of streaming stages.
//
// A frame is IN_BEATS input beats and OUT_BEATS output beats. Its first beat is accepted only while
// ap_start is high, the others at any time. ap_ready: the last input beat of a frame is accepted in
// this cycle. ap_done: the last output beat is taken in this cycle. ap_idle: no frame is inside and
// ap_start is low. At most FRAMES frames fit into the stages.

`default_nettype none

module a2q_control #(
  parameter int unsigned IN_BEATS  = 1,
  parameter int unsigned OUT_BEATS = 1,
  parameter int unsigned FRAMES    = 2
) (
  input  wire logic ap_clk,
  input  wire logic ap_rst_n,
  input  wire logic ap_start,
  output wire logic ap_done,
  output wire logic ap_ready,
  output wire logic ap_idle,
  // From the port.
  input  wire logic s_tvalid,
  output wire logic s_tready,
  // To the first stage.
  output wire logic stage_tvalid,
  input  wire logic stage_tready,
  // The last stage's output, observed.
  input  wire logic m_tvalid,
  input  wire logic m_tready
);
  localparam int unsigned FRAME_BITS = $clog2(FRAMES + 1);
  localparam int unsigned IN_BITS    = IN_BEATS > 1 ? $clog2(IN_BEATS) : 1;
  localparam int unsigned OUT_BITS   = OUT_BEATS > 1 ? $clog2(OUT_BEATS) : 1;

  logic [FRAME_BITS-1:0] frames_q;
  wire logic [IN_BITS-1:0]  in_beat;
  wire logic [OUT_BITS-1:0] out_beat;

  wire logic frame_first = in_beat == '0;
  wire logic open     = ap_rst_n && (ap_start || !frame_first);
  wire logic accepted = s_tvalid && s_tready;
  wire logic taken    = m_tvalid && m_tready;
  wire logic begins   = accepted && frame_first;

  assign stage_tvalid = s_tvalid && open;
  assign s_tready     = stage_tready && open;
  assign ap_ready     = accepted && in_beat == IN_BITS'(IN_BEATS - 1);
  assign ap_done      = taken && out_beat == OUT_BITS'(OUT_BEATS - 1);
  assign ap_idle      = frames_q == '0 && !ap_start;

  a2q_counter #(.PERIOD(IN_BEATS)) input_counter (
    .clk(ap_clk), .rst_n(ap_rst_n), .event_now(accepted),
    .count(in_beat)
  );

  a2q_counter #(.PERIOD(OUT_BEATS)) output_counter (
    .clk(ap_clk), .rst_n(ap_rst_n), .event_now(taken),
    .count(out_beat)
  );

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) frames_q <= '0;
    else if (begins && !ap_done) frames_q <= frames_q + FRAME_BITS'(1);
    else if (ap_done && !begins) frames_q <= frames_q - FRAME_BITS'(1);
  end
endmodule

`default_nettype wire
