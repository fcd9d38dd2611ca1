// SPDX-License-Identifier: Apache-2.0
// The maximum, or the sum, of every LENGTH beats, lane by lane.

`default_nettype none

module a2q_reduce #(
  parameter int unsigned LANES    = 1,
  parameter int unsigned IN_BITS  = 4,
  parameter int unsigned OUT_BITS = 4,
  parameter bit          SIGNED   = 1'b0,
  parameter bit          SUM      = 1'b0,
  parameter int unsigned LENGTH   = 4
) (
  input  wire logic                      clk,
  input  wire logic                      rst_n,
  input  wire logic [LANES*IN_BITS-1:0]  s_tdata,
  input  wire logic                      s_tvalid,
  output wire logic                      s_tready,
  output wire logic [LANES*OUT_BITS-1:0] m_tdata,
  output wire logic                      m_tvalid,
  input  wire logic                      m_tready
);
  localparam int unsigned COUNT_BITS = LENGTH > 1 ? $clog2(LENGTH) : 1;

  // The result register is the register of partial results: it holds still while it is offered.
  logic [LANES*OUT_BITS-1:0] data_q;
  logic                      valid_q;
  wire logic [COUNT_BITS-1:0]     count;
  wire logic [LANES*OUT_BITS-1:0] result;

  wire logic en   = !valid_q || m_tready;
  wire logic step = en && s_tvalid;

  assign s_tready = en;
  assign m_tvalid = valid_q;
  assign m_tdata  = data_q;

  a2q_counter #(.PERIOD(LENGTH)) counter (
    .clk(clk), .rst_n(rst_n), .event_now(step), .count(count)
  );

  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    a2q_combine #(.IN_BITS(IN_BITS), .OUT_BITS(OUT_BITS), .SIGNED(SIGNED), .SUM(SUM)) combine (
      .first(count == '0), .earlier(data_q[l*OUT_BITS+:OUT_BITS]),
      .x(s_tdata[l*IN_BITS+:IN_BITS]), .result(result[l*OUT_BITS+:OUT_BITS])
    );
  end

  always_ff @(posedge clk) begin
    if (!rst_n) valid_q <= 1'b0;
    else if (en) valid_q <= step && count == COUNT_BITS'(LENGTH - 1);
    if (step) data_q <= result;
  end
endmodule

`default_nettype wire
