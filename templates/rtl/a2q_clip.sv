// SPDX-License-Identifier: Apache-2.0
// A sum over a power of two, toward minus infinity, clipped to a code.
//
//   clipped = clip(floor(sum / 2**shift))

`default_nettype none

module a2q_clip #(
  parameter int unsigned SUM_BITS   = 9,
  parameter int unsigned OUT_BITS   = 4,
  parameter bit          OUT_SIGNED = 1'b0,
  parameter int unsigned S_BITS     = 1
) (
  input  wire logic signed [SUM_BITS-1:0] sum,
  input  wire logic        [S_BITS-1:0]   shift,
  output wire logic        [OUT_BITS-1:0] clipped
);
  // One bit more than either side, so that the bits beyond the output always exist.
  localparam int unsigned WIDE_BITS = (SUM_BITS > OUT_BITS ? SUM_BITS : OUT_BITS) + 1;
  localparam int unsigned KEPT_BITS = OUT_SIGNED ? OUT_BITS - 1 : OUT_BITS;

  wire logic signed [WIDE_BITS-1:0] shifted = WIDE_BITS'(sum >>> shift);
  wire logic fits = shifted[WIDE_BITS-1:KEPT_BITS]
      == {(WIDE_BITS-KEPT_BITS){OUT_SIGNED && shifted[WIDE_BITS-1]}};
  wire logic [OUT_BITS-1:0] end_of_range =
      {OUT_SIGNED, {(OUT_BITS-1){1'b0}}} ^ {OUT_BITS{!shifted[WIDE_BITS-1]}};

  assign clipped = fits ? shifted[OUT_BITS-1:0] : end_of_range;
endmodule

`default_nettype wire
