// SPDX-License-Identifier: Apache-2.0
// One step of a pool: the larger of two codes, or their sum; the first code of a window as it is.

`default_nettype none

module a2q_combine #(
  parameter int unsigned IN_BITS  = 4,
  parameter int unsigned OUT_BITS = 4,
  parameter bit          SIGNED   = 1'b0,
  parameter bit          SUM      = 1'b0
) (
  input  wire logic                first,
  input  wire logic [OUT_BITS-1:0] earlier,
  input  wire logic [IN_BITS-1:0]  x,
  output wire logic [OUT_BITS-1:0] result
);
  if (OUT_BITS < IN_BITS) begin : gen_illegal
    $error("a2q_combine: OUT_BITS must be at least IN_BITS");
  end

  // One bit more than the result, so that codes of either kind are compared as signed.
  wire logic signed [OUT_BITS:0] wide  = (OUT_BITS + 1)'($signed({SIGNED && x[IN_BITS-1], x}));
  wire logic signed [OUT_BITS:0] other = $signed({SIGNED && earlier[OUT_BITS-1], earlier});

  if (SUM) begin : gen_sum
    wire logic signed [OUT_BITS:0] total = (first ? '0 : other) + wide;
    wire logic unused = &{1'b0, total[OUT_BITS]};
    assign result = total[OUT_BITS-1:0];
  end else begin : gen_max
    assign result = first || wide > other ? wide[OUT_BITS-1:0] : earlier;
  end
endmodule

`default_nettype wire
