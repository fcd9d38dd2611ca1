// SPDX-License-Identifier: Apache-2.0
// One stream for two readers: a beat is offered to each until it has taken it.

`default_nettype none

module a2q_fork #(
  parameter int unsigned BITS = 8
) (
  input  wire logic              clk,
  input  wire logic              rst_n,
  input  wire logic [BITS-1:0]   s_tdata,
  input  wire logic              s_tvalid,
  output wire logic              s_tready,
  output wire logic [2*BITS-1:0] m_tdata,
  output wire logic [1:0]        m_tvalid,
  input  wire logic [1:0]        m_tready
);
  logic [BITS-1:0] data_q;
  logic [1:0]      waits_q;

  wire logic [1:0] left = waits_q & ~m_tready;

  assign s_tready = left == '0;
  assign m_tvalid = waits_q;
  assign m_tdata  = {2{data_q}};

  always_ff @(posedge clk) begin
    if (!rst_n) waits_q <= '0;
    else if (s_tready) waits_q <= {2{s_tvalid}};
    else waits_q <= left;
    if (s_tvalid && s_tready) data_q <= s_tdata;
  end
endmodule

`default_nettype wire
