// SPDX-License-Identifier: Apache-2.0
// Matrix-vector product on PE x SIMD multipliers, in NF * SF steps a frame.
//
//   step (nf, sf):  acc[p] (+)= sum_i W[nf*PE + p, sf*SIMD + i] * x[sf*SIMD + i]
//
// The first pass over the vector (nf = 0) reads input beats and stores them, later passes read the
// store. The sums of a pass leave with its last step. Word nf*SF + sf of the weight memory holds
// W[p, i] at bits (p*SIMD + i) * W_BITS, signed. No accumulator can overflow: the widths come from
// the certificate, and in simulation a 64-bit accumulator beside each one says so at every step.

`default_nettype none

module a2q_dot_folded #(
  parameter int unsigned PE           = 1,
  parameter int unsigned SIMD         = 1,
  parameter int unsigned NF           = 1,
  parameter int unsigned SF           = 1,
  parameter int unsigned X_BITS       = 4,
  parameter bit          X_SIGNED     = 1'b0,
  parameter int unsigned W_BITS       = 4,
  parameter int unsigned PRODUCT_BITS = 8,
  parameter int unsigned TREE_BITS    = 8,
  parameter int unsigned ACC_BITS     = 16,
  parameter int unsigned OUT_BITS     = 16,
  parameter              WEIGHTS      = "",
  parameter              LAYER        = "dot"
) (
  input  wire logic                   clk,
  input  wire logic                   rst_n,
  input  wire logic [SIMD*X_BITS-1:0] s_tdata,
  input  wire logic                   s_tvalid,
  output wire logic                   s_tready,
  output wire logic [PE*OUT_BITS-1:0] m_tdata,
  output wire logic                   m_tvalid,
  input  wire logic                   m_tready
);
  localparam int unsigned WORDS     = NF * SF;
  localparam int unsigned WORD_BITS = PE * SIMD * W_BITS;
  localparam int unsigned STEP_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam int unsigned SF_BITS   = SF > 1 ? $clog2(SF) : 1;

  logic                   valid_q;
  logic [PE*OUT_BITS-1:0] data_q;
  logic [WORD_BITS-1:0]   weights [WORDS];

  wire logic [STEP_BITS-1:0]   step;
  wire logic [SF_BITS-1:0]     sf;
  wire logic                   reads;
  wire logic [SIMD*X_BITS-1:0] x;
  wire logic [PE*OUT_BITS-1:0] sums;

  wire logic                 en   = !valid_q || m_tready;
  wire logic                 go   = en && (s_tvalid || !reads);
  wire logic [WORD_BITS-1:0] word = weights[step];

  wire logic                 first = sf == '0;
  wire logic                 last  = sf == SF_BITS'(SF - 1);

  assign s_tready = en && reads;
  assign m_tvalid = valid_q;
  assign m_tdata  = data_q;

  if (WEIGHTS != "") begin : gen_weights
    initial $readmemh(WEIGHTS, weights);
  end

  a2q_counter #(.PERIOD(WORDS)) step_counter (
    .clk(clk), .rst_n(rst_n), .event_now(go), .count(step)
  );
  if ((SF & (SF - 1)) == 0) begin : gen_low_bits
    assign sf = SF == 1 ? '0 : step[SF_BITS-1:0];
  end else begin : gen_own_count
    a2q_counter #(.PERIOD(SF)) sf_counter (
      .clk(clk), .rst_n(rst_n), .event_now(go), .count(sf)
    );
  end

  if (NF == 1) begin : gen_once
    wire logic unused = &{1'b0, sf};
    assign reads = 1'b1;
    assign x     = s_tdata;
  end else begin : gen_store
    logic [SIMD*X_BITS-1:0] store [SF];

    assign reads = step < STEP_BITS'(SF);
    assign x     = reads ? s_tdata : store[sf];

    always_ff @(posedge clk) begin
      if (go && reads) store[sf] <= s_tdata;
    end
  end

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    wire logic        [SIMD*PRODUCT_BITS-1:0] products;
    wire logic signed [TREE_BITS-1:0]         tree;
    wire logic signed [ACC_BITS-1:0]          acc_d;

    for (genvar i = 0; i < SIMD; i++) begin : gen_simd
      wire logic signed [X_BITS:0] x_lane =
          {X_SIGNED && x[i*X_BITS+X_BITS-1], x[i*X_BITS+:X_BITS]};
      wire logic signed [W_BITS-1:0] weight = $signed(word[(p*SIMD+i)*W_BITS+:W_BITS]);

      assign products[i*PRODUCT_BITS+:PRODUCT_BITS] =
          PRODUCT_BITS'(x_lane) * PRODUCT_BITS'(weight);

      // Products of few bits, as of ternary weights, do not read every bit of their factors.
      wire logic unused = &{1'b0, x_lane, weight};
    end

    a2q_adder_tree #(.COUNT(SIMD), .IN_BITS(PRODUCT_BITS), .OUT_BITS(TREE_BITS)) adder_tree (
      .terms(products), .sum(tree)
    );

    if (SF == 1) begin : gen_direct
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
        shadow_d += 64'($signed({X_SIGNED && x[i*X_BITS+X_BITS-1], x[i*X_BITS+:X_BITS]}))
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
