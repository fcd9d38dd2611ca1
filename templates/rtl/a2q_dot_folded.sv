// SPDX-License-Identifier: Apache-2.0
// Dot products on PE x SIMD multipliers: a pass of STEPS beats for PE results.
//
//   step t of WORDS, in turn:  acc[p] (+)= sum_i W[t][p, i] * x[(p / (PE/GROUPS)) * SIMD + i]
//
// The sums of a pass leave with its last step. Word t of the weight memory holds W[t][p, i] at bits
// (p*SIMD + i) * W_BITS, signed. PE / GROUPS lanes share the SIMD inputs of a group. With BLOCK the
// weights are block RAM. No accumulator can overflow: the widths come from the certificate, and in
// simulation a 64-bit accumulator beside each one says so.

`default_nettype none

module a2q_dot_folded #(
  parameter int unsigned PE           = 1,
  parameter int unsigned SIMD         = 1,
  parameter int unsigned GROUPS       = 1,
  parameter int unsigned STEPS        = 1,
  parameter int unsigned WORDS        = 1,
  parameter int unsigned X_BITS       = 4,
  parameter bit          X_SIGNED     = 1'b0,
  parameter int unsigned W_BITS       = 4,
  parameter int unsigned PRODUCT_BITS = 8,
  parameter int unsigned TREE_BITS    = 8,
  parameter int unsigned ACC_BITS     = 16,
  parameter int unsigned OUT_BITS     = 16,
  parameter bit          BLOCK        = 1'b0,
  parameter              WEIGHTS      = "",
  parameter              LAYER        = "dot"
) (
  input  wire logic                   clk,
  input  wire logic                   rst_n,
  input  wire logic [GROUPS*SIMD*X_BITS-1:0] s_tdata,
  input  wire logic                   s_tvalid,
  output wire logic                   s_tready,
  output wire logic [PE*OUT_BITS-1:0] m_tdata,
  output wire logic                   m_tvalid,
  input  wire logic                   m_tready
);
  if (PE % GROUPS != 0 || WORDS % STEPS != 0) begin : gen_illegal
    $error("a2q_dot_folded: GROUPS must divide PE, and STEPS must divide WORDS");
  end

  localparam int unsigned X_WIDTH   = GROUPS * SIMD * X_BITS;
  localparam int unsigned WORD_BITS = PE * SIMD * W_BITS;
  localparam int unsigned PLACE_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam int unsigned STEP_BITS  = STEPS > 1 ? $clog2(STEPS) : 1;
  localparam int unsigned SHARE      = PE / GROUPS;

  logic                   valid_q;
  logic [PE*OUT_BITS-1:0] data_q;

  // Inputs and weights are read in one cycle and multiplied in the next.
  logic                        go_q;
  logic      [X_WIDTH-1:0]     x_q;
  wire logic [WORD_BITS-1:0]   word;
  wire logic [STEP_BITS-1:0]   step;
  wire logic [PE*OUT_BITS-1:0] sums;

  wire logic en    = !valid_q || m_tready;
  wire logic go    = en && go_q;
  wire logic first = step == '0;
  wire logic last  = step == STEP_BITS'(STEPS - 1);

  assign s_tready = en;
  assign m_tvalid = valid_q;
  assign m_tdata  = data_q;

  // The word of the beat that enters.
  wire logic [PLACE_BITS-1:0] place;
  a2q_counter #(.PERIOD(WORDS)) place_counter (
    .clk(clk), .rst_n(rst_n), .event_now(en && s_tvalid), .count(place)
  );
  a2q_counter #(.PERIOD(STEPS)) step_counter (
    .clk(clk), .rst_n(rst_n), .event_now(go), .count(step)
  );

  a2q_rom #(.BITS(WORD_BITS), .DEPTH(WORDS), .BLOCK(BLOCK), .CONTENT(WEIGHTS)) rom (
    .clk(clk), .read(en && s_tvalid), .address(place), .data(word)
  );

  always_ff @(posedge clk) begin
    if (!rst_n) go_q <= 1'b0;
    else if (en) go_q <= s_tvalid;
    if (en && s_tvalid) x_q <= s_tdata;
  end

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    wire logic        [SIMD*PRODUCT_BITS-1:0] products;
    wire logic signed [TREE_BITS-1:0]         tree;
    wire logic signed [ACC_BITS-1:0]          acc_d;
    wire logic        [SIMD*X_BITS-1:0]       x_group = x_q[(p/SHARE)*SIMD*X_BITS+:SIMD*X_BITS];

    for (genvar i = 0; i < SIMD; i++) begin : gen_simd
      wire logic signed [X_BITS:0] x_lane =
          {X_SIGNED && x_group[i*X_BITS+X_BITS-1], x_group[i*X_BITS+:X_BITS]};
      wire logic signed [W_BITS-1:0] weight = $signed(word[(p*SIMD+i)*W_BITS+:W_BITS]);

      assign products[i*PRODUCT_BITS+:PRODUCT_BITS] =
          PRODUCT_BITS'(x_lane) * PRODUCT_BITS'(weight);

      // Products of few bits, as of ternary weights, do not read every bit of their factors.
      wire logic unused = &{1'b0, x_lane, weight};
    end

    a2q_adder_tree #(.COUNT(SIMD), .IN_BITS(PRODUCT_BITS), .OUT_BITS(TREE_BITS)) adder_tree (
      .terms(products), .sum(tree)
    );

    if (STEPS == 1) begin : gen_direct
      assign acc_d = ACC_BITS'(tree);
    end else begin : gen_accumulate
      logic signed [ACC_BITS-1:0] acc_q;

      assign acc_d = (first ? ACC_BITS'(0) : acc_q) + ACC_BITS'(tree);

      always_ff @(posedge clk) begin
        if (go) acc_q <= acc_d;
      end
    end

    assign sums[p*OUT_BITS+:OUT_BITS] = OUT_BITS'(acc_d);

`ifndef SYNTHESIS
    logic signed [63:0] shadow_q;
    logic signed [63:0] shadow_d;

    always_comb begin
      shadow_d = first ? 64'sd0 : shadow_q;
      for (int i = 0; i < int'(SIMD); i++) begin
        shadow_d +=
            64'($signed({X_SIGNED && x_group[i*X_BITS+X_BITS-1], x_group[i*X_BITS+:X_BITS]}))
            * 64'($signed(word[(p*SIMD+i)*W_BITS+:W_BITS]));
      end
    end

    always_ff @(posedge clk) begin
      if (go) shadow_q <= shadow_d;
      if (rst_n && go && 64'(acc_d) != shadow_d) begin
        $fatal(1, "%s: accumulator of PE %0d overflowed at step %0d: %0d instead of %0d",
               LAYER, p, step, acc_d, shadow_d);
      end
    end
`endif
  end

  always_ff @(posedge clk) begin
    if (!rst_n) valid_q <= 1'b0;
    else if (en) valid_q <= go && last;
    if (go && last) data_q <= sums;
  end
endmodule

`default_nettype wire
