// SPDX-License-Identifier: Apache-2.0
// Requantization as in a2q_requantize_shift, with a multiplication digit by digit: a beat takes
// ceil(M_BITS / DIGIT) cycles, and a product by DIGIT bits stands in place of each multiplier.
//
//   y[c] = clip(floor((m[c] * acc[c] + a[c]) / 2**s[c])),  c = beat * LANES + lane
//
// A beat is taken and its word is read; then, digit after digit of the multiplier,
// acc * digit is added and the sum is shifted by a digit. The next beat is taken in the last of these
// cycles. SCALES names a file of BEATS words, {s - LEAST, a, m} of each lane, lane 0 lowest. SUM_BITS
// hold m*acc + a. Every sum on the way lies between a and m*acc + a: no bit is lost.

`default_nettype none

module a2q_requantize_serial #(
  parameter int unsigned LANES      = 1,
  parameter int unsigned BEATS      = 1,
  parameter int unsigned ACC_BITS   = 8,
  parameter bit          ACC_SIGNED = 1'b1,
  parameter int unsigned SUM_BITS   = 9,
  parameter int unsigned OUT_BITS   = 4,
  parameter bit          OUT_SIGNED = 1'b0,
  parameter int unsigned DIGIT      = 1,
  parameter int unsigned LEAST      = 0,
  parameter bit          BLOCK      = 1'b0,
  parameter int unsigned M_BITS     = 2,
  parameter int unsigned A_BITS     = 8,
  parameter int unsigned S_BITS     = 1,
  parameter              SCALES     = ""
) (
  input  wire logic                      clk,
  input  wire logic                      rst_n,
  input  wire logic [LANES*ACC_BITS-1:0] s_tdata,
  input  wire logic                      s_tvalid,
  output wire logic                      s_tready,
  output wire logic [LANES*OUT_BITS-1:0] m_tdata,
  output wire logic                      m_tvalid,
  input  wire logic                      m_tready
);
  localparam int unsigned DIGITS    = (M_BITS + DIGIT - 1) / DIGIT;
  localparam int unsigned LOW_BITS  = (DIGITS - 1) * DIGIT;
  localparam int unsigned WIDE_BITS = SUM_BITS > A_BITS ? SUM_BITS : A_BITS;
  localparam int unsigned KEPT_BITS = SUM_BITS > LEAST ? SUM_BITS - LEAST : 1;
  localparam int unsigned WORD_BITS = M_BITS + A_BITS + S_BITS;
  localparam int unsigned BEAT_BITS = BEATS > 1 ? $clog2(BEATS) : 1;
  localparam int unsigned STEP_BITS = DIGITS > 1 ? $clog2(DIGITS) : 1;

  if (DIGITS < 2) begin : gen_illegal
    $error("a2q_requantize_serial: a multiplier must have more than one digit");
  end

  logic                      busy_q;
  logic                      valid_q;
  logic [LANES*OUT_BITS-1:0] data_q;
  wire logic [BEAT_BITS-1:0] beat;
  wire logic [STEP_BITS-1:0] step;

  wire logic en    = !valid_q || m_tready;
  wire logic first = step == '0;
  wire logic last  = busy_q && step == STEP_BITS'(DIGITS - 1);
  wire logic go    = busy_q && (en || !last);
  wire logic take  = s_tvalid && s_tready;

  assign s_tready = !busy_q || (last && en);
  assign m_tvalid = valid_q;
  assign m_tdata  = data_q;

  a2q_counter #(.PERIOD(DIGITS)) step_counter (
    .clk(clk), .rst_n(rst_n), .event_now(go), .count(step)
  );
  a2q_counter #(.PERIOD(BEATS)) beat_counter (
    .clk(clk), .rst_n(rst_n), .event_now(take), .count(beat)
  );

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      busy_q  <= 1'b0;
      valid_q <= 1'b0;
    end else begin
      if (s_tready) busy_q <= s_tvalid;
      if (en) valid_q <= last;
    end
  end

  wire logic [LANES*WORD_BITS-1:0] words;

  a2q_rom #(.BITS(LANES*WORD_BITS), .DEPTH(BEATS), .BLOCK(BLOCK), .CONTENT(SCALES)) rom (
    .clk(clk), .read(take), .address(beat), .data(words)
  );

  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    wire logic        [WORD_BITS-1:0] word = words[l*WORD_BITS+:WORD_BITS];
    wire logic        [S_BITS-1:0]    shift      = word[M_BITS+A_BITS+:S_BITS];
    wire logic signed [A_BITS-1:0]    addend     = word[M_BITS+:A_BITS];
    wire logic        [M_BITS-1:0]    multiplier = word[0+:M_BITS];

    wire logic signed [ACC_BITS:0] code = $signed(
        {ACC_SIGNED && s_tdata[l*ACC_BITS+ACC_BITS-1], s_tdata[l*ACC_BITS+:ACC_BITS]});

    logic signed [ACC_BITS:0]       acc_q;
    logic signed [WIDE_BITS-1:0]    sum_q;
    logic        [LOW_BITS-1:0]     low_q;
    logic        [DIGITS*DIGIT-1:0] rest_q;

    wire logic        [DIGITS*DIGIT-1:0] rest = first ? (DIGITS*DIGIT)'(multiplier) : rest_q;
    wire logic signed [ACC_BITS+DIGIT:0] product;
    wire logic signed [WIDE_BITS-1:0]    sum = (first ? WIDE_BITS'(addend) : sum_q)
                                             + WIDE_BITS'(product);
    wire logic unused_product = &{1'b0, product};

    if (DIGIT == 1) begin : gen_bit
      assign product = rest[0] ? (ACC_BITS + 2)'(acc_q) : '0;
    end else begin : gen_digit
      assign product = (ACC_BITS + DIGIT + 1)'(acc_q * $signed({1'b0, rest[DIGIT-1:0]}));
    end

    always_ff @(posedge clk) begin
      if (take) acc_q <= code;
      if (go) begin
        sum_q  <= sum >>> DIGIT;
        rest_q <= rest >> DIGIT;
        low_q  <= LOW_BITS'({sum[DIGIT-1:0], low_q} >> DIGIT);
      end
    end

    wire logic signed [WIDE_BITS+LOW_BITS-1:0] whole = $signed({sum, low_q});
    wire logic signed [KEPT_BITS-1:0]          kept  = KEPT_BITS'(whole >>> LEAST);
    wire logic        [OUT_BITS-1:0]           clipped;
    a2q_clip #(
      .SUM_BITS(KEPT_BITS), .OUT_BITS(OUT_BITS), .OUT_SIGNED(OUT_SIGNED), .S_BITS(S_BITS)
    ) clip (
      .sum(kept), .shift(shift), .clipped(clipped)
    );
    always_ff @(posedge clk) if (go && last) data_q[l*OUT_BITS+:OUT_BITS] <= clipped;

`ifndef SYNTHESIS
    wire logic signed [63:0] shadow = 64'(acc_q) * 64'(multiplier) + 64'(addend);
    always_ff @(posedge clk) begin
      if (rst_n && go && last && 64'(whole) != shadow) begin
        $fatal(1, "a2q_requantize_serial: sum of lane %0d overflowed: %0d instead of %0d",
               l, whole, shadow);
      end
    end
`endif
  end
endmodule

`default_nettype wire
