// SPDX-License-Identifier: Apache-2.0
// Requantization by multiplication, addition, shift and clipping, LANES channels a beat.
//
//   y[c] = clip(floor((m[c] * acc[c] + a[c]) / 2**s[c])),  c = beat * LANES + lane
//
// Word lane * BEATS + beat of the tables belongs to channel c. SUM_BITS holds m*acc + a. Without
// MULTIPLY every m is one.

`default_nettype none

module a2q_requantize_shift #(
  parameter int unsigned LANES      = 1,
  parameter int unsigned BEATS      = 1,
  parameter int unsigned ACC_BITS   = 8,
  parameter bit          ACC_SIGNED = 1'b1,
  parameter int unsigned SUM_BITS   = 9,
  parameter int unsigned OUT_BITS   = 4,
  parameter bit          OUT_SIGNED = 1'b0,
  parameter bit          MULTIPLY   = 1'b0,
  parameter int unsigned M_BITS     = 1,
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
    $error("a2q_requantize_shift: SUM_BITS must be at least ACC_BITS");
  end

  localparam int unsigned BEAT_BITS = BEATS > 1 ? $clog2(BEATS) : 1;

  logic [LANES*OUT_BITS-1:0] data_q;
  wire logic [BEAT_BITS-1:0] beat;
  wire logic                 en;
  wire logic                 valid;
  wire logic                 step = en && valid;

  assign m_tdata = data_q;

  a2q_pipe #(.LATENCY(1)) pipe (
    .clk(clk), .rst_n(rst_n), .s_tvalid(s_tvalid), .s_tready(s_tready),
    .m_tvalid(m_tvalid), .m_tready(m_tready), .en(en), .valid(valid)
  );
  a2q_counter #(.PERIOD(BEATS)) beat_counter (
    .clk(clk), .rst_n(rst_n), .event_now(step), .count(beat)
  );

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

    wire logic signed [ACC_BITS:0]   code = $signed(
        {ACC_SIGNED && s_tdata[l*ACC_BITS+ACC_BITS-1], s_tdata[l*ACC_BITS+:ACC_BITS]});
    wire logic signed [SUM_BITS-1:0] acc = SUM_BITS'(code);
    wire logic signed [SUM_BITS-1:0] scaled;
    wire logic signed [SUM_BITS-1:0] sum;
    wire logic unused_code = &{1'b0, code};
    wire logic        [OUT_BITS-1:0] clipped;

    if (MULTIPLY) begin : gen_multiply
      assign scaled = acc * SUM_BITS'($signed({1'b0, multipliers[beat]}));
    end else begin : gen_one
      wire logic unused = &{1'b0, multipliers[beat]};
      assign scaled = acc;
    end

    assign sum = scaled + SUM_BITS'($signed(addends[beat]));
    a2q_clip #(
      .SUM_BITS(SUM_BITS), .OUT_BITS(OUT_BITS), .OUT_SIGNED(OUT_SIGNED), .S_BITS(S_BITS)
    ) clip (
      .sum(sum), .shift(shifts[beat]), .clipped(clipped)
    );

    always_ff @(posedge clk) if (step) data_q[l*OUT_BITS+:OUT_BITS] <= clipped;

`ifndef SYNTHESIS
    wire logic signed [63:0] shadow = 64'(code)
        * (MULTIPLY ? 64'(multipliers[beat]) : 64'sd1) + 64'($signed(addends[beat]));

    always_ff @(posedge clk) begin
      if (rst_n && step && 64'(sum) != shadow) begin
        $fatal(1, "a2q_requantize_shift: sum of lane %0d overflowed: %0d instead of %0d",
               l, sum, shadow);
      end
    end
`endif
  end
endmodule

`default_nettype wire
