// SPDX-License-Identifier: Apache-2.0
// Splits one wide beat into RATIO narrow beats, the low bits first, REPEATS times over.

`default_nettype none

module a2q_resize_down #(
  parameter int unsigned BITS  = 4,
  parameter int unsigned RATIO = 2,
  parameter int unsigned REPEATS = 1
) (
  input  wire logic                  clk,
  input  wire logic                  rst_n,
  input  wire logic [RATIO*BITS-1:0] s_tdata,
  input  wire logic                  s_tvalid,
  output wire logic                  s_tready,
  output wire logic [BITS-1:0]       m_tdata,
  output wire logic                  m_tvalid,
  input  wire logic                  m_tready
);
  if (RATIO * REPEATS < 2) begin : gen_illegal
    $error("a2q_resize_down: RATIO * REPEATS must be at least 2");
  end

  localparam int unsigned BEATS     = RATIO * REPEATS;
  localparam int unsigned BEAT_BITS = $clog2(BEATS);
  localparam int unsigned PART_BITS = RATIO > 1 ? $clog2(RATIO) : 1;

  logic                      valid_q;
  logic     [RATIO*BITS-1:0] data_q;
  wire logic [BEAT_BITS-1:0] beat;
  wire logic [PART_BITS-1:0] part;

  wire logic first = beat == '0;
  wire logic en    = !valid_q || m_tready;
  wire logic step  = en && (s_tvalid || !first);

  assign s_tready = en && first;
  assign m_tvalid = valid_q;

  a2q_counter #(.PERIOD(BEATS)) beat_counter (
    .clk(clk), .rst_n(rst_n), .event_now(step), .count(beat)
  );

  // The part at the output: whole turns of parts lie between two wide beats.
  a2q_counter #(.PERIOD(RATIO)) part_counter (
    .clk(clk), .rst_n(rst_n), .event_now(valid_q && m_tready), .count(part)
  );

  wire logic [BITS-1:0] parts [RATIO];
  for (genvar i = 0; i < RATIO; i++) begin : gen_part
    assign parts[i] = data_q[i*BITS+:BITS];
  end
  assign m_tdata = parts[part];

  always_ff @(posedge clk) begin
    if (!rst_n) valid_q <= 1'b0;
    else if (en) valid_q <= step;
    if (step && first) data_q <= s_tdata;
  end
endmodule

`default_nettype wire
