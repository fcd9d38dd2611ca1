// SPDX-License-Identifier: Apache-2.0
// Number of ascending thresholds that an accumulator reaches, by binary search in one cycle.
//
//   count = #{k : acc >= t[k]},  k = 1 .. 2**OUT_BITS - 1
//
// Bit b of the count, the highest first, is acc >= t[k] where k holds the bits found so far, a one,
// and zeros: OUT_BITS comparisons instead of 2**OUT_BITS - 1, each with its own small table.
// Word (beat << OUT_BITS) + k of TABLE is t[k] of that beat's channel; word 0 of a channel is unused.

`default_nettype none

module a2q_threshold_search #(
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
  for (genvar b = 0; b < OUT_BITS; b++) begin : gen_level
    localparam int unsigned WORDS = BEATS << b;

    logic      [BITS-1:0]   thresholds [WORDS];
    wire logic [BITS-1:0]   threshold;
    wire logic              reached = acc >= $signed(threshold);
    wire logic [b:0]        found;

    initial begin
      for (int i = 0; i < int'(WORDS); i++) begin
        thresholds[i] = TABLE[(((2*i+1)<<(OUT_BITS-1-b))*BITS)+:BITS];
      end
    end

    if (WORDS == 1) begin : gen_constant
      wire logic unused = &{1'b0, beat};
      assign threshold = thresholds[0];
    end else if (b == 0) begin : gen_beat
      assign threshold = thresholds[beat];
    end else if (BEATS == 1) begin : gen_found
      assign threshold = thresholds[gen_level[b-1].found];
    end else begin : gen_both
      assign threshold = thresholds[{beat, gen_level[b-1].found}];
    end

    if (b == 0) begin : gen_root
      assign found = reached;
    end else begin : gen_below
      assign found = {gen_level[b-1].found, reached};
    end
  end

  assign count = gen_level[OUT_BITS-1].found;
endmodule

`default_nettype wire
