// SPDX-License-Identifier: Apache-2.0
// Number of ascending thresholds that an accumulator reaches, all compared at once.
//
//   count = #{k : acc >= t[k]},  k = 1 .. 2**OUT_BITS - 1
//
// Thresholds ascend, so the comparisons are a thermometer: bit b of the count, the highest first, is
// the comparison whose number holds the bits found so far, a one, and zeros.
// Word (beat << OUT_BITS) + k of TABLE is t[k] of that beat's channel; word 0 of a channel is unused.

`default_nettype none

module a2q_threshold_parallel #(
  parameter  int unsigned BEATS     = 1,
  parameter  int unsigned BITS      = 8,
  parameter  int unsigned OUT_BITS  = 4,
  localparam int unsigned BEAT_BITS = BEATS > 1 ? $clog2(BEATS) : 1,
  parameter  logic [(BEATS<<OUT_BITS)*BITS-1:0] TABLE = '0
) (
  input  wire logic        [BEAT_BITS-1:0] beat,
  input  wire logic signed [BITS-1:0]      acc,
  output wire logic        [OUT_BITS-1:0]  count
);
  localparam int unsigned ROW = BITS << OUT_BITS;

  logic      [ROW-1:0] rows [BEATS];
  wire logic [ROW-1:0] row;
  wire logic [(1<<OUT_BITS)-1:0] reached;

  initial for (int i = 0; i < int'(BEATS); i++) rows[i] = TABLE[i*ROW+:ROW];

  if (BEATS == 1) begin : gen_constant
    wire logic unused = &{1'b0, beat};
    assign row = rows[0];
  end else begin : gen_beat
    assign row = rows[beat];
  end

  assign reached[0] = 1'b1;
  wire logic unused_first = &{1'b0, reached[0], row[BITS-1:0]};
  for (genvar k = 1; k < 1 << OUT_BITS; k++) begin : gen_threshold
    assign reached[k] = acc >= $signed(row[k*BITS+:BITS]);
  end

  for (genvar b = 0; b < OUT_BITS; b++) begin : gen_level
    wire logic [b:0] found;
    if (b == 0) begin : gen_root
      assign found = reached[1<<(OUT_BITS-1)];
    end else begin : gen_below
      wire logic [OUT_BITS-1:0] place =
          OUT_BITS'({gen_level[b-1].found, 1'b1}) << (OUT_BITS - 1 - b);
      assign found = {gen_level[b-1].found, reached[place]};
    end
  end

  assign count = gen_level[OUT_BITS-1].found;
endmodule

`default_nettype wire
