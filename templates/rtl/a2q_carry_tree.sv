// SPDX-License-Identifier: Apache-2.0
// Sum of COUNT signed terms and of all carries but the first, which is left to another adder.
//
//   sum = terms[0] + ... + terms[COUNT-1] + carries[1] + ... + carries[COUNT-1]  (modulo 2**OUT_BITS)
//
// A balanced tree, of which every adder takes one carry; no node is wider than it can need.

`default_nettype none

module a2q_carry_tree #(
  parameter int unsigned COUNT    = 2,
  parameter int unsigned IN_BITS  = 4,
  parameter int unsigned OUT_BITS = 5
) (
  input  wire logic        [COUNT*IN_BITS-1:0] terms,
  input  wire logic        [COUNT-1:0]         carries,
  output wire logic signed [OUT_BITS-1:0]      sum
);
  if (COUNT == 0) begin : gen_illegal
    $error("a2q_carry_tree: COUNT must be at least 1");
  end

  if (COUNT == 1) begin : gen_leaf
    wire logic unused = &{1'b0, carries};
    assign sum = OUT_BITS'($signed(terms));
  end else begin : gen_node
    localparam int unsigned RIGHT = COUNT / 2;
    localparam int unsigned LEFT  = COUNT - RIGHT;
    localparam int unsigned GROWN = IN_BITS + $clog2(LEFT);
    localparam int unsigned BITS  = GROWN < OUT_BITS ? GROWN : OUT_BITS;

    wire logic signed [BITS-1:0] left;
    wire logic signed [BITS-1:0] right;

    a2q_carry_tree #(.COUNT(LEFT), .IN_BITS(IN_BITS), .OUT_BITS(BITS)) left_half (
      .terms(terms[LEFT*IN_BITS-1:0]), .carries(carries[LEFT-1:0]), .sum(left)
    );
    a2q_carry_tree #(.COUNT(RIGHT), .IN_BITS(IN_BITS), .OUT_BITS(BITS)) right_half (
      .terms(terms[COUNT*IN_BITS-1:LEFT*IN_BITS]), .carries(carries[COUNT-1:LEFT]), .sum(right)
    );
    // The bit below both operands makes the carry.
    wire logic signed [OUT_BITS:0] doubled =
        $signed({OUT_BITS'(left), carries[LEFT]}) + $signed({OUT_BITS'(right), carries[LEFT]});
    wire logic unused = &{1'b0, doubled[0]};

    assign sum = doubled[OUT_BITS:1];
  end
endmodule

`default_nettype wire
