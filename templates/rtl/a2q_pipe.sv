// SPDX-License-Identifier: Apache-2.0
// Handshake of a pipeline with one enable: all registers move together or not at all.
//
//   en = !m_tvalid || m_tready;  a beat that enters appears LATENCY enabled cycles later.
//
// valid[r] tells that the data before register rank r belongs to a beat.

`default_nettype none

module a2q_pipe #(
  parameter int unsigned LATENCY = 1
) (
  input  wire logic               clk,
  input  wire logic               rst_n,
  input  wire logic               s_tvalid,
  output wire logic               s_tready,
  output wire logic               m_tvalid,
  input  wire logic               m_tready,
  output wire logic               en,
  output wire logic [LATENCY-1:0] valid
);
  if (LATENCY == 0) begin : gen_illegal
    $error("a2q_pipe: LATENCY must be at least 1");
  end

  logic [LATENCY-1:0] valid_q;

  if (LATENCY == 1) begin : gen_single
    assign valid = s_tvalid;
  end else begin : gen_several
    assign valid = {valid_q[LATENCY-2:0], s_tvalid};
  end

  assign m_tvalid = valid_q[LATENCY-1];
  assign en       = !m_tvalid || m_tready;
  assign s_tready = en;

  always_ff @(posedge clk) begin
    if (!rst_n) valid_q <= '0;
    else if (en) valid_q <= valid;
  end
endmodule

`default_nettype wire
