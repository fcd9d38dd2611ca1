// SPDX-License-Identifier: Apache-2.0
// Sums of two streams, lane by lane; stream 0 is the low bits of s_tdata.

`default_nettype none

module a2q_add #(
  parameter int unsigned LANES        = 1,
  parameter int unsigned LEFT_BITS    = 4,
  parameter bit          LEFT_SIGNED  = 1'b0,
  parameter int unsigned RIGHT_BITS   = 4,
  parameter bit          RIGHT_SIGNED = 1'b0,
  parameter int unsigned OUT_BITS     = 5
) (
  input  wire logic                                      clk,
  input  wire logic                                      rst_n,
  input  wire logic [LANES*(LEFT_BITS+RIGHT_BITS)-1:0]   s_tdata,
  input  wire logic [1:0]                                s_tvalid,
  output wire logic [1:0]                                s_tready,
  output wire logic [LANES*OUT_BITS-1:0]                 m_tdata,
  output wire logic                                      m_tvalid,
  input  wire logic                                      m_tready
);
  logic [LANES*OUT_BITS-1:0] data_q;
  logic                      valid_q;
  wire logic [LANES*OUT_BITS-1:0]   sums;
  wire logic [LANES*LEFT_BITS-1:0]  left  = s_tdata[LANES*LEFT_BITS-1:0];
  wire logic [LANES*RIGHT_BITS-1:0] right = s_tdata[LANES*(LEFT_BITS+RIGHT_BITS)-1:LANES*LEFT_BITS];

  wire logic en   = !valid_q || m_tready;
  wire logic step = en && s_tvalid[0] && s_tvalid[1];

  assign s_tready = {2{step}};
  assign m_tvalid = valid_q;
  assign m_tdata  = data_q;

  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    wire logic signed [LEFT_BITS:0] a = $signed({
      LEFT_SIGNED && left[l*LEFT_BITS+LEFT_BITS-1], left[l*LEFT_BITS+:LEFT_BITS]});
    wire logic signed [RIGHT_BITS:0] b = $signed({
      RIGHT_SIGNED && right[l*RIGHT_BITS+RIGHT_BITS-1], right[l*RIGHT_BITS+:RIGHT_BITS]});
    assign sums[l*OUT_BITS+:OUT_BITS] = OUT_BITS'(a) + OUT_BITS'(b);

`ifndef SYNTHESIS
    wire logic signed [63:0] wide = 64'(a) + 64'(b);
    wire logic unused = &{1'b0, wide};
    always_ff @(posedge clk) begin
      if (rst_n && step && OUT_BITS'(wide) != sums[l*OUT_BITS+:OUT_BITS]) begin
        $fatal(1, "a2q_add: sum of lane %0d overflowed: %0d", l, wide);
      end
    end
`endif
  end

  always_ff @(posedge clk) begin
    if (!rst_n) valid_q <= 1'b0;
    else if (en) valid_q <= step;
    if (step) data_q <= sums;
  end
endmodule

`default_nettype wire
