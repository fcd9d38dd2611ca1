// SPDX-License-Identifier: Apache-2.0
// Place of the largest of BEATS * LANES codes, of equal ones the first; lane 0 of beat 0 is place 0.

`default_nettype none

module a2q_argmax #(
  parameter int unsigned LANES    = 1,
  parameter int unsigned BEATS    = 1,
  parameter int unsigned IN_BITS  = 4,
  parameter bit          SIGNED   = 1'b0,
  parameter int unsigned OUT_BITS = 4
) (
  input  wire logic                     clk,
  input  wire logic                     rst_n,
  input  wire logic [LANES*IN_BITS-1:0] s_tdata,
  input  wire logic                     s_tvalid,
  output wire logic                     s_tready,
  output wire logic [OUT_BITS-1:0]      m_tdata,
  output wire logic                     m_tvalid,
  input  wire logic                     m_tready
);
  localparam int unsigned BEAT_BITS = BEATS > 1 ? $clog2(BEATS) : 1;

  logic signed [IN_BITS:0]  best_q;
  logic        [OUT_BITS-1:0] place_q;
  logic        [OUT_BITS-1:0] base_q;
  logic                       valid_q;
  wire logic [BEAT_BITS-1:0]  beat;

  wire logic en    = !valid_q || m_tready;
  wire logic step  = en && s_tvalid;
  wire logic first = beat == '0;
  wire logic last  = beat == BEAT_BITS'(BEATS - 1);

  assign s_tready = en;
  assign m_tvalid = valid_q;
  assign m_tdata  = place_q;

  a2q_counter #(.PERIOD(BEATS)) beat_counter (
    .clk(clk), .rst_n(rst_n), .event_now(step), .count(beat)
  );

  // A chain from the first lane to the last: only a larger code takes the place of an earlier one.
  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    wire logic signed [IN_BITS:0] x =
        $signed({SIGNED && s_tdata[l*IN_BITS+IN_BITS-1], s_tdata[l*IN_BITS+:IN_BITS]});
    wire logic signed [IN_BITS:0]  best;
    wire logic      [OUT_BITS-1:0] place;
    wire logic      [OUT_BITS-1:0] own = base_q + OUT_BITS'(l);

    if (l == 0) begin : gen_first
      wire logic larger = first || x > best_q;
      assign best  = larger ? x : best_q;
      assign place = larger ? own : place_q;
    end else begin : gen_other
      wire logic larger = x > gen_lane[l-1].best;
      assign best  = larger ? x : gen_lane[l-1].best;
      assign place = larger ? own : gen_lane[l-1].place;
    end
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      valid_q <= 1'b0;
      base_q  <= '0;
    end else if (en) begin
      valid_q <= step && last;
      if (step) base_q <= last ? '0 : base_q + OUT_BITS'(LANES);
    end
    if (step) begin
      best_q  <= gen_lane[LANES-1].best;
      place_q <= gen_lane[LANES-1].place;
    end
  end
endmodule

`default_nettype wire
