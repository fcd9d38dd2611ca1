// SPDX-License-Identifier: Apache-2.0
// One carry chain: sum = addend + tables + carry, with or without the carry out.
//
// In front of each column one LUT6 makes addend ^ table, so that the logic of a table of five bits
// costs nothing of its own. The carry enters by a column below: k + k + 1 carries k. Written as the
// difference of a complement, a + b + 1 = a - ~b, because yosys would merge sums into compressors.

`default_nettype none

module a2q_chain #(
  parameter int unsigned BITS     = 4,
  parameter int unsigned OUT_BITS = 5
) (
  input  wire logic [BITS-1:0]     addend,
  input  wire logic [BITS-1:0]     tables,
  input  wire logic                carry,
  output wire logic [OUT_BITS-1:0] sum
);
  if (OUT_BITS != BITS && OUT_BITS != BITS + 1) begin : gen_illegal
    $error("a2q_chain: OUT_BITS must be BITS or BITS + 1");
  end

  wire logic [OUT_BITS:0] left  = (OUT_BITS + 1)'({addend, carry});
  wire logic [OUT_BITS:0] right = (OUT_BITS + 1)'({tables, carry});
  wire logic [OUT_BITS:0] total = left - ~right;
  wire logic              unused = &{1'b0, total[0]};

  assign sum = total[OUT_BITS:1];
endmodule

`default_nettype wire
