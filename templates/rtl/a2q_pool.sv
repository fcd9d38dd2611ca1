// SPDX-License-Identifier: Apache-2.0
// Pool over KH x KW windows side by side: the maximum, or the sum, of each window, lane by lane.
//
//   y[oy, ox, c] = max or sum of x[oy*KH + ky, ox*KW + kx, c]
//
// The image has COLUMNS * KW columns of WORDS beats a pixel. Partial results of one row of windows
// stand in LUTRAM, word ox*WORDS + beat; the last beat of a window gives its result.

`default_nettype none

module a2q_pool #(
  parameter int unsigned LANES    = 1,
  parameter int unsigned IN_BITS  = 4,
  parameter int unsigned OUT_BITS = 4,
  parameter bit          SIGNED   = 1'b0,
  parameter bit          SUM      = 1'b0,
  parameter int unsigned KH       = 2,
  parameter int unsigned KW       = 2,
  parameter int unsigned COLUMNS  = 2,
  parameter int unsigned WORDS    = 1
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
  localparam int unsigned DEPTH        = COLUMNS * WORDS;
  localparam int unsigned ADDRESS_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1;
  localparam int unsigned KX_BITS      = KW > 1 ? $clog2(KW) : 1;
  localparam int unsigned KY_BITS      = KH > 1 ? $clog2(KH) : 1;
  localparam int unsigned WORD_BITS    = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam int unsigned OX_BITS      = COLUMNS > 1 ? $clog2(COLUMNS) : 1;

  logic [LANES*OUT_BITS-1:0] memory [DEPTH];
  logic [LANES*OUT_BITS-1:0] data_q;
  logic                      valid_q;

  wire logic [WORD_BITS-1:0] part;
  wire logic [KX_BITS-1:0]   kx;
  wire logic [KY_BITS-1:0]   ky;
  wire logic [OX_BITS-1:0]   ox;
  wire logic [LANES*OUT_BITS-1:0] result;

  wire logic en   = !valid_q || m_tready;
  wire logic step = en && s_tvalid;

  wire logic end_word = part == WORD_BITS'(WORDS - 1);
  wire logic end_kx   = kx == KX_BITS'(KW - 1);
  wire logic end_row  = end_word && end_kx && ox == OX_BITS'(COLUMNS - 1);
  wire logic first    = kx == '0 && ky == '0;
  wire logic last     = end_kx && ky == KY_BITS'(KH - 1);

  assign s_tready = en;
  assign m_tvalid = valid_q;
  assign m_tdata  = data_q;

  a2q_counter #(.PERIOD(WORDS)) word_counter (
    .clk(clk), .rst_n(rst_n), .event_now(step), .count(part)
  );
  a2q_counter #(.PERIOD(KW)) kx_counter (
    .clk(clk), .rst_n(rst_n), .event_now(step && end_word), .count(kx)
  );
  a2q_counter #(.PERIOD(COLUMNS)) ox_counter (
    .clk(clk), .rst_n(rst_n), .event_now(step && end_word && end_kx), .count(ox)
  );
  a2q_counter #(.PERIOD(KH)) ky_counter (
    .clk(clk), .rst_n(rst_n), .event_now(step && end_row), .count(ky)
  );

  wire logic [ADDRESS_BITS-1:0] address;
  if (WORDS == 1) begin : gen_column
    assign address = ADDRESS_BITS'(ox);
  end else begin : gen_address
    // The address starts again with every column of the window.
    logic [ADDRESS_BITS-1:0] base_q;
    always_ff @(posedge clk) begin
      if (!rst_n) base_q <= '0;
      else if (step && end_row) base_q <= '0;
      else if (step && end_word && end_kx) base_q <= base_q + ADDRESS_BITS'(WORDS);
    end
    assign address = base_q + ADDRESS_BITS'(part);
  end

  wire logic [LANES*OUT_BITS-1:0] earlier = memory[address];

  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    a2q_combine #(.IN_BITS(IN_BITS), .OUT_BITS(OUT_BITS), .SIGNED(SIGNED), .SUM(SUM)) combine (
      .first(first), .earlier(earlier[l*OUT_BITS+:OUT_BITS]), .x(s_tdata[l*IN_BITS+:IN_BITS]),
      .result(result[l*OUT_BITS+:OUT_BITS])
    );
  end

  always_ff @(posedge clk) begin
    if (!rst_n) valid_q <= 1'b0;
    else if (en) valid_q <= step && last;
    if (step) memory[address] <= result;
    if (step && last) data_q <= result;
  end
endmodule

`default_nettype wire
