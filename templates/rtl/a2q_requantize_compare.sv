// SPDX-License-Identifier: Apache-2.0
// Requantization by thresholds, LANES channels a beat, BEATS beats a frame.
//
//   y[c] = min + #{k : acc[c] >= t[c, k]},  c = beat * LANES + lane
//
// min is 0, or -2**(OUT_BITS-1) where the output is signed. BITS holds accumulators and thresholds.
// Word ((lane * BEATS + beat) << OUT_BITS) + k of TABLE is t[c, k], k >= 1; word 0 is unused.

`default_nettype none

module a2q_requantize_compare #(
  parameter int unsigned LANES      = 1,
  parameter int unsigned BEATS      = 1,
  parameter int unsigned ACC_BITS   = 8,
  parameter bit          ACC_SIGNED = 1'b1,
  parameter int unsigned BITS       = 8,
  parameter int unsigned OUT_BITS   = 4,
  parameter bit          OUT_SIGNED = 1'b0,
  parameter logic [(LANES*BEATS<<OUT_BITS)*BITS-1:0] TABLE = '0
) (
  input  wire logic                      clk,
  input  wire logic                      rst_n,
  input  wire logic [LANES*ACC_BITS-1:0] s_tdata,
  input  wire logic                      s_tvalid,
  output wire logic                      s_tready,
  output wire logic [LANES*OUT_BITS-1:0] m_tdata,
  output wire logic                      m_tvalid,
  input  wire logic                      m_tready
);
  if (BITS < ACC_BITS) begin : gen_illegal
    $error("a2q_requantize_compare: BITS must be at least ACC_BITS");
  end

  localparam int unsigned BEAT_BITS = BEATS > 1 ? $clog2(BEATS) : 1;
  localparam int unsigned LANE_BITS = (BEATS << OUT_BITS) * BITS;
  localparam logic [OUT_BITS-1:0] MIN = OUT_BITS'(OUT_SIGNED) << (OUT_BITS - 1);

  logic [LANES*OUT_BITS-1:0] data_q;
  wire logic [BEAT_BITS-1:0] beat;
  wire logic                 en;
  wire logic                 valid;
  wire logic                 step = en && valid;

  assign m_tdata = data_q;

  a2q_pipe #(.LATENCY(1)) pipe (
    .clk(clk), .rst_n(rst_n), .s_tvalid(s_tvalid), .s_tready(s_tready),
    .m_tvalid(m_tvalid), .m_tready(m_tready), .en(en), .valid(valid)
  );
  a2q_counter #(.PERIOD(BEATS)) beat_counter (
    .clk(clk), .rst_n(rst_n), .event_now(step), .count(beat)
  );

  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    wire logic signed [ACC_BITS:0]   code = $signed(
        {ACC_SIGNED && s_tdata[l*ACC_BITS+ACC_BITS-1], s_tdata[l*ACC_BITS+:ACC_BITS]});
    wire logic signed [BITS-1:0]     acc = BITS'(code);
    wire logic        [OUT_BITS-1:0] count;
    wire logic unused = &{1'b0, code};

    a2q_threshold_search #(
      .BEATS(BEATS), .BITS(BITS), .OUT_BITS(OUT_BITS), .TABLE(TABLE[l*LANE_BITS+:LANE_BITS])
    ) search (
      .beat(beat), .acc(acc), .count(count)
    );

    always_ff @(posedge clk) begin
      if (step) data_q[l*OUT_BITS+:OUT_BITS] <= count ^ MIN;
    end
  end
endmodule

`default_nettype wire
