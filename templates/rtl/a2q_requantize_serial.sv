// SPDX-License-Identifier: Apache-2.0
// Requantization as in a2q_requantize_shift, with a multiplication bit by bit: M_BITS + 1 cycles a
// beat, and an adder in place of each multiplier.
//
//   y[c] = clip(floor((m[c] * acc[c] + a[c]) / 2**s[c])),  c = beat * LANES + lane
//
// A beat is taken with its multiplier and addend; then, bit after bit of the multiplier, acc * 2**bit
// is added. Word lane * BEATS + beat of the tables belongs to channel c. SUM_BITS holds m*acc + a.

`default_nettype none

module a2q_requantize_serial #(
  parameter int unsigned LANES      = 1,
  parameter int unsigned BEATS      = 1,
  parameter int unsigned ACC_BITS   = 8,
  parameter bit          ACC_SIGNED = 1'b1,
  parameter int unsigned SUM_BITS   = 9,
  parameter int unsigned OUT_BITS   = 4,
  parameter bit          OUT_SIGNED = 1'b0,
  parameter int unsigned M_BITS     = 2,
  parameter int unsigned A_BITS     = 8,
  parameter int unsigned S_BITS     = 1,
  parameter logic [LANES*BEATS*M_BITS-1:0] MULTIPLIERS = '1,
  parameter logic [LANES*BEATS*A_BITS-1:0] ADDENDS     = '0,
  parameter logic [LANES*BEATS*S_BITS-1:0] SHIFTS      = '0
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
  if (SUM_BITS < ACC_BITS) begin : gen_illegal
    $error("a2q_requantize_serial: SUM_BITS must be at least ACC_BITS");
  end

  localparam int unsigned BEAT_BITS = BEATS > 1 ? $clog2(BEATS) : 1;
  localparam int unsigned STEP_BITS = $clog2(M_BITS + 1);

  logic                      valid_q;
  logic [LANES*OUT_BITS-1:0] data_q;
  wire logic [BEAT_BITS-1:0] beat;
  wire logic [STEP_BITS-1:0] step;

  wire logic en    = !valid_q || m_tready;
  wire logic first = step == '0;
  wire logic last  = step == STEP_BITS'(M_BITS);
  wire logic go    = en && (s_tvalid || !first);

  assign s_tready = en && first;
  assign m_tvalid = valid_q;
  assign m_tdata  = data_q;

  a2q_counter #(.PERIOD(M_BITS + 1)) step_counter (
    .clk(clk), .rst_n(rst_n), .event_now(go), .count(step)
  );
  a2q_counter #(.PERIOD(BEATS)) beat_counter (
    .clk(clk), .rst_n(rst_n), .event_now(go && last), .count(beat)
  );

  always_ff @(posedge clk) begin
    if (!rst_n) valid_q <= 1'b0;
    else if (en) valid_q <= go && last;
  end

  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    logic [M_BITS-1:0] multipliers [BEATS];
    logic [A_BITS-1:0] addends     [BEATS];
    logic [S_BITS-1:0] shifts      [BEATS];

    initial begin
      for (int i = 0; i < int'(BEATS); i++) begin
        multipliers[i] = MULTIPLIERS[(l*BEATS+i)*M_BITS+:M_BITS];
        addends[i]     = ADDENDS[(l*BEATS+i)*A_BITS+:A_BITS];
        shifts[i]      = SHIFTS[(l*BEATS+i)*S_BITS+:S_BITS];
      end
    end

    wire logic signed [ACC_BITS:0] code = $signed(
        {ACC_SIGNED && s_tdata[l*ACC_BITS+ACC_BITS-1], s_tdata[l*ACC_BITS+:ACC_BITS]});
    wire logic unused_code = &{1'b0, code};

    logic signed [SUM_BITS-1:0] power_q;
    logic signed [SUM_BITS-1:0] sum_q;
    logic        [M_BITS-1:0]   multiplier_q;
    wire logic signed [SUM_BITS-1:0] sum = sum_q + (multiplier_q[0] ? power_q : '0);

    always_ff @(posedge clk) begin
      if (go && first) begin
        power_q      <= SUM_BITS'(code);
        sum_q        <= SUM_BITS'($signed(addends[beat]));
        multiplier_q <= multipliers[beat];
      end else if (go) begin
        power_q      <= power_q <<< 1;
        sum_q        <= sum;
        multiplier_q <= multiplier_q >> 1;
      end
    end

    wire logic [OUT_BITS-1:0] clipped;
    a2q_clip #(
      .SUM_BITS(SUM_BITS), .OUT_BITS(OUT_BITS), .OUT_SIGNED(OUT_SIGNED), .S_BITS(S_BITS)
    ) clip (
      .sum(sum), .shift(shifts[beat]), .clipped(clipped)
    );
    always_ff @(posedge clk) if (go && last) data_q[l*OUT_BITS+:OUT_BITS] <= clipped;

`ifndef SYNTHESIS
    logic signed [63:0] shadow_q;
    always_ff @(posedge clk) begin
      if (go && first) shadow_q <= 64'(code) * 64'(multipliers[beat]) + 64'($signed(addends[beat]));
      if (rst_n && go && last && 64'(sum) != shadow_q) begin
        $fatal(1, "a2q_requantize_serial: sum of lane %0d overflowed: %0d instead of %0d",
               l, sum, shadow_q);
      end
    end
`endif
  end
endmodule

`default_nettype wire
