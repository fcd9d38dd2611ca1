// SPDX-License-Identifier: Apache-2.0
// Collects RATIO narrow beats into one wide beat, the first in the low bits.
//
// The output register is the collecting register: it moves only while it holds no finished beat or
// that beat is taken.

`default_nettype none

module a2q_resize_up #(
  parameter int unsigned BITS  = 4,
  parameter int unsigned RATIO = 2
) (
  input  wire logic                  clk,
  input  wire logic                  rst_n,
  input  wire logic [BITS-1:0]       s_tdata,
  input  wire logic                  s_tvalid,
  output wire logic                  s_tready,
  output wire logic [RATIO*BITS-1:0] m_tdata,
  output wire logic                  m_tvalid,
  input  wire logic                  m_tready
);
  if (RATIO < 2) begin : gen_illegal
    $error("a2q_resize_up: RATIO must be at least 2");
  end

  localparam int unsigned BEAT_BITS = $clog2(RATIO);

  logic                  valid_q;
  logic [RATIO*BITS-1:0] data_q;
  wire logic [BEAT_BITS-1:0] beat;

  wire logic en   = !valid_q || m_tready;
  wire logic step = en && s_tvalid;
  wire logic last = beat == BEAT_BITS'(RATIO - 1);

  assign s_tready = en;
  assign m_tvalid = valid_q;
  assign m_tdata  = data_q;

  a2q_counter #(.PERIOD(RATIO)) beat_counter (
    .clk(clk), .rst_n(rst_n), .event_now(step), .count(beat)
  );

  always_ff @(posedge clk) begin
    if (!rst_n) valid_q <= 1'b0;
    else if (en) valid_q <= step && last;
    if (step) data_q <= {s_tdata, data_q[RATIO*BITS-1:BITS]};
  end
endmodule

`default_nettype wire
