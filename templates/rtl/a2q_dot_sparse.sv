// SPDX-License-Identifier: Apache-2.0
// Dot products of which only nonzero weights are executed, by a schedule of CYCLES steps a window.
//
//   step t:  acc[p] (+)= sum over lanes i of factor[t, p, i] * bank[i][entry[t, p, i]],  p < PE
//
// The COUNT beats of a window, FILL codes each, are spread over one bank a lane; while one half of
// the banks is read, the next window fills the other. Of the word t of the schedule the low bits are
// the lanes, each its entry, then its factor, and the highest bit says that the PE channels end: their
// sums leave then. Each channel has banks of its own with the same contents. A factor is a signed weight of FACTOR_BITS with PRODUCTS, else a sign in the lowest
// bit and a power of two in the others. Idle lanes read an entry that stays zero. Word k of the map
// places beat k: for each of its codes the entry and, above it, the bank among those of its place.
// Code j of a beat lies in a bank j + n * FILL.
// No accumulator can overflow: the widths come from the certificate, and in simulation a 64-bit
// accumulator beside it says so at every step.

`default_nettype none

module a2q_dot_sparse #(
  parameter int unsigned PE          = 1,
  parameter int unsigned LANES       = 2,
  parameter int unsigned FILL        = 1,
  parameter int unsigned COUNT       = 8,
  parameter int unsigned CYCLES      = 8,
  parameter int unsigned ENTRY_BITS  = 3,
  parameter int unsigned FACTOR_BITS = 1,
  parameter bit          PRODUCTS    = 1'b0,
  parameter int unsigned BANK_BITS   = 1,
  parameter int unsigned X_BITS      = 4,
  parameter bit          X_SIGNED    = 1'b0,
  parameter int unsigned TERM_BITS   = 5,
  parameter int unsigned TREE_BITS   = 8,
  parameter int unsigned ACC_BITS    = 16,
  parameter bit          BLOCK       = 1'b0,
  parameter              SCHEDULE    = "",
  parameter              MAP         = "",
  parameter              LAYER       = "dot"
) (
  input  wire logic                   clk,
  input  wire logic                   rst_n,
  input  wire logic [FILL*X_BITS-1:0] s_tdata,
  input  wire logic                   s_tvalid,
  output wire logic                   s_tready,
  output wire logic [PE*ACC_BITS-1:0] m_tdata,
  output wire logic                   m_tvalid,
  input  wire logic                   m_tready
);
  if (LANES % FILL != 0) begin : gen_illegal
    $error("a2q_dot_sparse: FILL must divide LANES");
  end

  localparam int unsigned LANE_BITS  = ENTRY_BITS + FACTOR_BITS;
  localparam int unsigned WORD_BITS  = PE * LANES * LANE_BITS + 1;
  localparam int unsigned PLACE_BITS = ENTRY_BITS + BANK_BITS;
  localparam int unsigned STEP_BITS  = CYCLES > 1 ? $clog2(CYCLES) : 1;
  localparam int unsigned BEAT_BITS  = COUNT > 1 ? $clog2(COUNT) : 1;

  // Which half of the banks is whole, which is filled and which is read.
  logic [1:0] whole_q;
  logic       fills_q;
  logic       starts_q;
  logic       reads_q;

  // Filling.
  logic [FILL*PLACE_BITS-1:0] places [COUNT];
  wire logic [BEAT_BITS-1:0]  beat;
  wire logic [FILL*PLACE_BITS-1:0] place = places[beat];
  wire logic filled = s_tvalid && s_tready;
  wire logic full   = filled && beat == BEAT_BITS'(COUNT - 1);

  if (MAP != "") begin : gen_map
    initial $readmemh(MAP, places);
  end
  assign s_tready = !whole_q[fills_q];

  a2q_counter #(.PERIOD(COUNT)) beat_counter (
    .clk(clk), .rst_n(rst_n), .event_now(filled), .count(beat)
  );

  // The word of a step is read in one cycle and executed in the next.
  wire logic [STEP_BITS-1:0] step;
  wire logic [WORD_BITS-1:0] word;
  logic                      go_q;
  logic                      ends_q;
  logic                      first_q;
  logic                      valid_q;
  logic      [PE*ACC_BITS-1:0] data_q;
  wire logic [PE*ACC_BITS-1:0] sums;

  wire logic en     = !valid_q || m_tready;
  wire logic starts = en && whole_q[starts_q];
  wire logic ends   = step == STEP_BITS'(CYCLES - 1);
  wire logic go     = en && go_q;
  wire logic last   = word[WORD_BITS-1];
  wire logic emptied = go && ends_q;

  assign m_tvalid = valid_q;
  assign m_tdata  = data_q;

  a2q_counter #(.PERIOD(CYCLES)) step_counter (
    .clk(clk), .rst_n(rst_n), .event_now(starts), .count(step)
  );

  a2q_rom #(.BITS(WORD_BITS), .DEPTH(CYCLES), .BLOCK(BLOCK), .CONTENT(SCHEDULE)) rom (
    .clk(clk), .read(starts), .address(step), .data(word)
  );

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      whole_q  <= '0;
      fills_q  <= 1'b0;
      starts_q <= 1'b0;
      go_q     <= 1'b0;
      first_q  <= 1'b1;
      valid_q  <= 1'b0;
    end else begin
      if (full) fills_q <= !fills_q;
      if (full) whole_q[fills_q] <= 1'b1;
      if (emptied) whole_q[reads_q] <= 1'b0;
      if (starts && ends) starts_q <= !starts_q;
      if (en) go_q <= starts;
      if (go) first_q <= last;
      if (en) valid_q <= go && last;
    end
    if (starts) begin
      reads_q <= starts_q;
      ends_q  <= ends;
    end
  end

  always_ff @(posedge clk) if (go && last) data_q <= sums;

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    wire logic [LANES*TERM_BITS-1:0] terms;
    wire logic [LANES-1:0]           carries;

    for (genvar i = 0; i < LANES; i++) begin : gen_lane
      localparam int unsigned GROUP = i % FILL;
      localparam int unsigned FIRST = (p * LANES + i) * LANE_BITS;

      logic [X_BITS-1:0] bank [2 << ENTRY_BITS];
      initial for (int k = 0; k < int'(2 << ENTRY_BITS); k++) bank[k] = '0;

      wire logic [PLACE_BITS-1:0]  mine   = place[GROUP*PLACE_BITS+:PLACE_BITS];
      wire logic write = filled && mine[ENTRY_BITS+:BANK_BITS] == BANK_BITS'(i / FILL);
      wire logic [ENTRY_BITS-1:0]  entry  = word[FIRST+:ENTRY_BITS];
      wire logic [FACTOR_BITS-1:0] factor = word[FIRST+ENTRY_BITS+:FACTOR_BITS];
      wire logic [X_BITS-1:0]      code   = bank[{reads_q, entry}];
      wire logic signed [X_BITS:0] x      = $signed({X_SIGNED && code[X_BITS-1], code});

      always_ff @(posedge clk) begin
        if (write) bank[{fills_q, mine[ENTRY_BITS-1:0]}] <= s_tdata[GROUP*X_BITS+:X_BITS];
      end

      if (PRODUCTS) begin : gen_product
        assign terms[i*TERM_BITS+:TERM_BITS] = TERM_BITS'(x) * TERM_BITS'($signed(factor));
        assign carries[i] = 1'b0;
      end else begin : gen_power
        // Minus x is the complement of x and one, which is the carry of an adder.
        wire logic signed [TERM_BITS-1:0] shifted;
        if (FACTOR_BITS == 1) begin : gen_sign
          assign shifted = TERM_BITS'(x);
        end else begin : gen_shift
          assign shifted = TERM_BITS'(x) <<< factor[FACTOR_BITS-1:1];
        end
        assign terms[i*TERM_BITS+:TERM_BITS] = shifted ^ {TERM_BITS{factor[0]}};
        assign carries[i] = factor[0];
      end
    end

    wire logic signed [TREE_BITS-1:0] tree;
    a2q_carry_tree #(.COUNT(LANES), .IN_BITS(TERM_BITS), .OUT_BITS(TREE_BITS)) carry_tree (
      .terms(terms), .carries(carries), .sum(tree)
    );

    logic signed [ACC_BITS-1:0] acc_q;
    wire logic signed [ACC_BITS-1:0] earlier = first_q ? '0 : acc_q;
    wire logic signed [ACC_BITS:0] doubled =
        $signed({earlier, carries[0]}) + $signed({ACC_BITS'(tree), carries[0]});
    wire logic signed [ACC_BITS-1:0] acc_d = doubled[ACC_BITS:1];
    wire logic unused = &{1'b0, doubled[0]};

    assign sums[p*ACC_BITS+:ACC_BITS] = acc_d;
    always_ff @(posedge clk) if (go) acc_q <= acc_d;

`ifndef SYNTHESIS
    logic signed [63:0] shadow_q;
    logic signed [63:0] shadow_d;
    wire logic [LANES*64-1:0] wide;
    for (genvar i = 0; i < LANES; i++) begin : gen_shadow
      wire logic signed [63:0] x = 64'(gen_lane[i].x);
      wire logic [FACTOR_BITS-1:0] factor = gen_lane[i].factor;
      if (PRODUCTS) begin : gen_product
        assign wide[i*64+:64] = x * 64'($signed(factor));
      end else begin : gen_power
        wire logic signed [63:0] shifted = x <<< (factor >> 1);
        assign wide[i*64+:64] = factor[0] ? -shifted : shifted;
      end
    end
    always_comb begin
      shadow_d = first_q ? 64'sd0 : shadow_q;
      for (int i = 0; i < int'(LANES); i++) shadow_d += $signed(wide[i*64+:64]);
    end
    always_ff @(posedge clk) begin
      if (go) shadow_q <= shadow_d;
      if (rst_n && go && 64'(acc_d) != shadow_d) begin
        $fatal(1, "%s: accumulator of PE %0d overflowed: %0d instead of %0d",
               LAYER, p, acc_d, shadow_d);
      end
    end
`endif
  end
endmodule

`default_nettype wire
