// SPDX-License-Identifier: Apache-2.0
// Whole windows of an image, KH * KW pixels a beat, from a shift register through which the image
// runs with its border of FILL, one pixel a step.
//
//   beat of window (oy, ox): pixel (oy*SH + ky, ox*SW + kx) of the bordered image at place ky*KW + kx
//
// The bordered image is HP x WP. ROW_REAL and COLUMN_REAL tell the image from its border; ROW_ENDS
// and COLUMN_ENDS are set where a window ends. Between two kernel rows the pixels wait in memory.

`default_nettype none

module a2q_window_parallel #(
  parameter int unsigned BITS = 4,
  parameter int unsigned HP   = 3,
  parameter int unsigned WP   = 3,
  parameter int unsigned KH   = 3,
  parameter int unsigned KW   = 3,
  parameter logic [HP-1:0]   ROW_REAL    = '1,
  parameter logic [WP-1:0]   COLUMN_REAL = '1,
  parameter logic [HP-1:0]   ROW_ENDS    = '1,
  parameter logic [WP-1:0]   COLUMN_ENDS = '1,
  parameter logic [BITS-1:0] FILL        = '0
) (
  input  wire logic                  clk,
  input  wire logic                  rst_n,
  input  wire logic [BITS-1:0]       s_tdata,
  input  wire logic                  s_tvalid,
  output wire logic                  s_tready,
  output wire logic [KH*KW*BITS-1:0] m_tdata,
  output wire logic                  m_tvalid,
  input  wire logic                  m_tready
);
  if (WP < KW || HP < KH) begin : gen_illegal
    $error("a2q_window_parallel: the kernel must fit into the bordered image");
  end

  localparam int unsigned ROW_BITS    = HP > 1 ? $clog2(HP) : 1;
  localparam int unsigned COLUMN_BITS = WP > 1 ? $clog2(WP) : 1;
  localparam int unsigned GAP         = WP - KW;

  logic valid_q;
  wire logic [ROW_BITS-1:0]    row;
  wire logic [COLUMN_BITS-1:0] column;

  wire logic real_pixel = ROW_REAL[row] && COLUMN_REAL[column];
  wire logic en         = !valid_q || m_tready;
  wire logic shift      = en && (s_tvalid || !real_pixel);

  wire logic [BITS-1:0] pixel = real_pixel ? s_tdata : FILL;

  assign s_tready = en && real_pixel;
  assign m_tvalid = valid_q;

  a2q_counter #(.PERIOD(WP)) column_counter (
    .clk(clk), .rst_n(rst_n), .event_now(shift), .count(column)
  );
  a2q_counter #(.PERIOD(HP)) row_counter (
    .clk(clk), .rst_n(rst_n), .event_now(shift && column == COLUMN_BITS'(WP - 1)), .count(row)
  );

  always_ff @(posedge clk) begin
    if (!rst_n) valid_q <= 1'b0;
    else if (en) valid_q <= shift && ROW_ENDS[row] && COLUMN_ENDS[column];
  end

  // The last kernel row takes the new pixel, every other one what leaves the row after it.
  for (genvar r = 0; r < KH; r++) begin : gen_row
    logic      [KW*BITS-1:0] taps_q;
    wire logic [BITS-1:0]    enters;

    if (r == KH - 1) begin : gen_new
      assign enters = pixel;
    end else if (GAP == 0) begin : gen_direct
      assign enters = gen_row[r+1].taps_q[BITS-1:0];
    end else begin : gen_delay
      a2q_delay #(.BITS(BITS), .DEPTH(GAP)) delay (
        .clk(clk), .rst_n(rst_n), .shift(shift),
        .enters(gen_row[r+1].taps_q[BITS-1:0]), .leaves(enters)
      );
    end

    if (KW == 1) begin : gen_single
      always_ff @(posedge clk) if (shift) taps_q <= enters;
    end else begin : gen_several
      always_ff @(posedge clk) if (shift) taps_q <= {enters, taps_q[KW*BITS-1:BITS]};
    end

    assign m_tdata[r*KW*BITS+:KW*BITS] = taps_q;
  end
endmodule

`default_nettype wire
