// SPDX-License-Identifier: Apache-2.0
// In turn LEFT beats of stream 0 and RIGHT beats of stream 1, lanes extended to the output's bits.

`default_nettype none

module a2q_concat #(
  parameter int unsigned LANES        = 1,
  parameter int unsigned LEFT         = 1,
  parameter int unsigned RIGHT        = 1,
  parameter int unsigned LEFT_BITS    = 4,
  parameter bit          LEFT_SIGNED  = 1'b0,
  parameter int unsigned RIGHT_BITS   = 4,
  parameter bit          RIGHT_SIGNED = 1'b0,
  parameter int unsigned OUT_BITS     = 4
) (
  input  wire logic                                    clk,
  input  wire logic                                    rst_n,
  input  wire logic [LANES*(LEFT_BITS+RIGHT_BITS)-1:0] s_tdata,
  input  wire logic [1:0]                              s_tvalid,
  output wire logic [1:0]                              s_tready,
  output wire logic [LANES*OUT_BITS-1:0]               m_tdata,
  output wire logic                                    m_tvalid,
  input  wire logic                                    m_tready
);
  if (OUT_BITS < LEFT_BITS || OUT_BITS < RIGHT_BITS) begin : gen_illegal
    $error("a2q_concat: OUT_BITS must hold both inputs");
  end

  localparam int unsigned BEATS     = LEFT + RIGHT;
  localparam int unsigned BEAT_BITS = $clog2(BEATS);

  logic [LANES*OUT_BITS-1:0] data_q;
  logic                      valid_q;
  wire logic [BEAT_BITS-1:0]        beat;
  wire logic [LANES*OUT_BITS-1:0]   codes;
  wire logic [LANES*LEFT_BITS-1:0]  left  = s_tdata[LANES*LEFT_BITS-1:0];
  wire logic [LANES*RIGHT_BITS-1:0] right = s_tdata[LANES*(LEFT_BITS+RIGHT_BITS)-1:LANES*LEFT_BITS];

  wire logic en     = !valid_q || m_tready;
  wire logic second = beat >= BEAT_BITS'(LEFT);
  wire logic step   = en && (second ? s_tvalid[1] : s_tvalid[0]);

  assign s_tready = {en && second, en && !second};
  assign m_tvalid = valid_q;
  assign m_tdata  = data_q;

  a2q_counter #(.PERIOD(BEATS)) beat_counter (
    .clk(clk), .rst_n(rst_n), .event_now(step), .count(beat)
  );

  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    wire logic signed [LEFT_BITS:0] a = $signed({
      LEFT_SIGNED && left[l*LEFT_BITS+LEFT_BITS-1], left[l*LEFT_BITS+:LEFT_BITS]});
    wire logic signed [RIGHT_BITS:0] b = $signed({
      RIGHT_SIGNED && right[l*RIGHT_BITS+RIGHT_BITS-1], right[l*RIGHT_BITS+:RIGHT_BITS]});
    wire logic unused = &{1'b0, a[LEFT_BITS], b[RIGHT_BITS]};
    assign codes[l*OUT_BITS+:OUT_BITS] = second ? OUT_BITS'(b) : OUT_BITS'(a);
  end

  always_ff @(posedge clk) begin
    if (!rst_n) valid_q <= 1'b0;
    else if (en) valid_q <= step;
    if (step) data_q <= codes;
  end
endmodule

`default_nettype wire
