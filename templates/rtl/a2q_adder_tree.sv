// SPDX-License-Identifier: Apache-2.0
// Sum of COUNT signed terms by a balanced tree; no node is wider than it can need or than OUT_BITS.
//
//   sum = terms[0] + ... + terms[COUNT-1]  (modulo 2**OUT_BITS);  term 0 in the low bits.

`default_nettype none

module a2q_adder_tree #(
  parameter int unsigned COUNT    = 2,
  parameter int unsigned IN_BITS  = 4,
  parameter int unsigned OUT_BITS = 5
) (
  input  wire logic        [COUNT*IN_BITS-1:0] terms,
  output wire logic signed [OUT_BITS-1:0]      sum
);
  if (COUNT == 0) begin : gen_illegal
    $error("a2q_adder_tree: COUNT must be at least 1");
  end

  if (COUNT == 1) begin : gen_leaf
    assign sum = OUT_BITS'($signed(terms));
  end else begin : gen_node
    localparam int unsigned RIGHT = COUNT / 2;
    localparam int unsigned LEFT  = COUNT - RIGHT;
    localparam int unsigned GROWN = IN_BITS + $clog2(LEFT);
    localparam int unsigned BITS  = GROWN < OUT_BITS ? GROWN : OUT_BITS;

    wire logic signed [BITS-1:0] left;
    wire logic signed [BITS-1:0] right;

    a2q_adder_tree #(.COUNT(LEFT), .IN_BITS(IN_BITS), .OUT_BITS(BITS)) left_half (
      .terms(terms[LEFT*IN_BITS-1:0]), .sum(left)
    );
    a2q_adder_tree #(.COUNT(RIGHT), .IN_BITS(IN_BITS), .OUT_BITS(BITS)) right_half (
      .terms(terms[COUNT*IN_BITS-1:LEFT*IN_BITS]), .sum(right)
    );
    // The zero below each operand keeps yosys from making one large compressor of the whole tree,
    // which takes a fifth more LUTs than its adders.
    wire logic signed [OUT_BITS:0] doubled =
        $signed({OUT_BITS'(left), 1'b0}) + $signed({OUT_BITS'(right), 1'b0});
    wire logic unused = &{1'b0, doubled[0]};

    assign sum = doubled[OUT_BITS:1];
  end
endmodule

`default_nettype wire
