// SPDX-License-Identifier: Apache-2.0
// Windows of an image that streams by: a cyclic buffer that is read in the order of the windows.
//
//   for each window row by row, for turn, repeat, ky, kx, word:
//     pixel (oy*SH - top + ky, ox*SW - left + kx), its word turn*PART + word, or FILL outside
//
// The image comes in raster order, TURNS * PART words a pixel. Word n of all frames is kept at
// n mod DEPTH. A window starts when every word that it needs is there ("fresh" is how many more
// are) and frees what no later one needs ("held" is how many are not freed). How many words a window
// needs and frees more than the one before depends on its place: NEEDS_COLUMN and FREES_COLUMN from
// a column to the next, in rows with NEEDS_INSIDE and FREES_INSIDE, and NEEDS_ROW and FREES_ROW from
// a row to the next; entry i of a table stands at bit i * CREDIT_BITS. ROWS and COLUMNS say which
// kernel rows and columns of a window lie inside, at bit oy*KH + ky and ox*KW + kx.
// The DELTAS lead from one address to the next, modulo DEPTH, by the innermost loop that goes on.

`default_nettype none

module a2q_window #(
  parameter int unsigned BITS        = 4,
  parameter int unsigned OH          = 1,
  parameter int unsigned OW          = 1,
  parameter int unsigned KH          = 1,
  parameter int unsigned KW          = 1,
  parameter int unsigned TURNS       = 1,
  parameter int unsigned REPEATS     = 1,
  parameter int unsigned PART        = 1,
  parameter int unsigned DEPTH       = 2,
  parameter bit          BLOCK       = 1'b0,
  parameter int unsigned CREDIT_BITS = 4,
  parameter int unsigned START       = 0,
  parameter int unsigned DELTA_WORD   = 1,
  parameter int unsigned DELTA_KX     = 1,
  parameter int unsigned DELTA_KY     = 1,
  parameter int unsigned DELTA_REPEAT = 1,
  parameter int unsigned DELTA_TURN   = 1,
  parameter int unsigned DELTA_OX     = 1,
  parameter int unsigned DELTA_OY     = 1,
  parameter int unsigned DELTA_FRAME  = 1,
  parameter logic [CREDIT_BITS-1:0]    NEEDS_FIRST  = '0,
  parameter logic [OW*CREDIT_BITS-1:0] NEEDS_COLUMN = '0,
  parameter logic [OW*CREDIT_BITS-1:0] FREES_COLUMN = '0,
  parameter logic [OH*CREDIT_BITS-1:0] NEEDS_ROW    = '0,
  parameter logic [OH*CREDIT_BITS-1:0] FREES_ROW    = '0,
  parameter logic [OH-1:0]    NEEDS_INSIDE = '1,
  parameter logic [OH-1:0]    FREES_INSIDE = '1,
  parameter logic [OH*KH-1:0] ROWS         = '1,
  parameter logic [OW*KW-1:0] COLUMNS      = '1,
  parameter logic [BITS-1:0]  FILL         = '0
) (
  input  wire logic            clk,
  input  wire logic            rst_n,
  input  wire logic [BITS-1:0] s_tdata,
  input  wire logic            s_tvalid,
  output wire logic            s_tready,
  output wire logic [BITS-1:0] m_tdata,
  output wire logic            m_tvalid,
  input  wire logic            m_tready
);
  if (DEPTH < 1) begin : gen_illegal
    $error("a2q_window: DEPTH must be at least 1");
  end

  localparam int unsigned ADDRESS_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1;
  localparam int unsigned OY_BITS = OH > 1 ? $clog2(OH) : 1;
  localparam int unsigned OX_BITS = OW > 1 ? $clog2(OW) : 1;
  localparam int unsigned KY_BITS = KH > 1 ? $clog2(KH) : 1;
  localparam int unsigned KX_BITS = KW > 1 ? $clog2(KW) : 1;
  localparam int unsigned TURN_BITS   = TURNS > 1 ? $clog2(TURNS) : 1;
  localparam int unsigned REPEAT_BITS = REPEATS > 1 ? $clog2(REPEATS) : 1;
  localparam int unsigned WORD_BITS   = PART > 1 ? $clog2(PART) : 1;
  localparam bit BORDER = ROWS != '1 || COLUMNS != '1;

  logic signed [CREDIT_BITS-1:0] fresh_q;
  logic signed [CREDIT_BITS-1:0] held_q;
  logic        [ADDRESS_BITS-1:0] address_q;
  logic                           valid_q;

  wire logic [ADDRESS_BITS-1:0] write_address;
  wire logic [OY_BITS-1:0]      oy;
  wire logic [OX_BITS-1:0]      ox;
  wire logic [KY_BITS-1:0]      ky;
  wire logic [KX_BITS-1:0]      kx;
  wire logic [TURN_BITS-1:0]    turn;
  wire logic [REPEAT_BITS-1:0]  repetition;
  wire logic [WORD_BITS-1:0]    part;

  wire logic write = s_tvalid && s_tready;
  wire logic read  = (!valid_q || m_tready) && !fresh_q[CREDIT_BITS-1];

  assign s_tready = held_q < $signed(CREDIT_BITS'(DEPTH));
  assign m_tvalid = valid_q;

  // Each loop goes on when all loops inside it end.
  wire logic end_word   = part == WORD_BITS'(PART - 1);
  wire logic end_kx     = end_word && kx == KX_BITS'(KW - 1);
  wire logic end_ky     = end_kx && ky == KY_BITS'(KH - 1);
  wire logic end_repeat = end_ky && repetition == REPEAT_BITS'(REPEATS - 1);
  wire logic end_window = end_repeat && turn == TURN_BITS'(TURNS - 1);
  wire logic end_row    = ox == OX_BITS'(OW - 1);
  wire logic end_frame  = end_row && oy == OY_BITS'(OH - 1);
  wire logic next       = read && end_window;

  a2q_counter #(.PERIOD(DEPTH)) write_counter (
    .clk(clk), .rst_n(rst_n), .event_now(write), .count(write_address)
  );
  a2q_counter #(.PERIOD(PART)) word_counter (
    .clk(clk), .rst_n(rst_n), .event_now(read), .count(part)
  );
  a2q_counter #(.PERIOD(KW)) kx_counter (
    .clk(clk), .rst_n(rst_n), .event_now(read && end_word), .count(kx)
  );
  a2q_counter #(.PERIOD(KH)) ky_counter (
    .clk(clk), .rst_n(rst_n), .event_now(read && end_kx), .count(ky)
  );
  a2q_counter #(.PERIOD(REPEATS)) repeat_counter (
    .clk(clk), .rst_n(rst_n), .event_now(read && end_ky), .count(repetition)
  );
  a2q_counter #(.PERIOD(TURNS)) turn_counter (
    .clk(clk), .rst_n(rst_n), .event_now(read && end_repeat), .count(turn)
  );
  a2q_counter #(.PERIOD(OW)) ox_counter (
    .clk(clk), .rst_n(rst_n), .event_now(next), .count(ox)
  );
  a2q_counter #(.PERIOD(OH)) oy_counter (
    .clk(clk), .rst_n(rst_n), .event_now(next && end_row), .count(oy)
  );

  // Which words a window needs and frees beyond the one before it.
  logic [CREDIT_BITS-1:0] needs_column [OW];
  logic [CREDIT_BITS-1:0] frees_column [OW];
  logic [CREDIT_BITS-1:0] needs_row    [OH];
  logic [CREDIT_BITS-1:0] frees_row    [OH];
  initial begin
    for (int i = 0; i < int'(OW); i++) begin
      needs_column[i] = NEEDS_COLUMN[i*CREDIT_BITS+:CREDIT_BITS];
      frees_column[i] = FREES_COLUMN[i*CREDIT_BITS+:CREDIT_BITS];
    end
    for (int i = 0; i < int'(OH); i++) begin
      needs_row[i] = NEEDS_ROW[i*CREDIT_BITS+:CREDIT_BITS];
      frees_row[i] = FREES_ROW[i*CREDIT_BITS+:CREDIT_BITS];
    end
  end
  logic [CREDIT_BITS-1:0] needs;
  logic [CREDIT_BITS-1:0] frees;
  always_comb begin
    needs = '0;
    frees = '0;
    if (next && end_row) begin
      needs = needs_row[oy];
      frees = frees_row[oy];
    end else if (next) begin
      if (NEEDS_INSIDE[oy]) needs = needs_column[ox];
      if (FREES_INSIDE[oy]) frees = frees_column[ox];
    end
  end

  logic [ADDRESS_BITS-1:0] delta;
  always_comb begin
    if (!end_word) delta = ADDRESS_BITS'(DELTA_WORD);
    else if (!end_kx) delta = ADDRESS_BITS'(DELTA_KX);
    else if (!end_ky) delta = ADDRESS_BITS'(DELTA_KY);
    else if (!end_repeat) delta = ADDRESS_BITS'(DELTA_REPEAT);
    else if (!end_window) delta = ADDRESS_BITS'(DELTA_TURN);
    else if (!end_row) delta = ADDRESS_BITS'(DELTA_OX);
    else if (!end_frame) delta = ADDRESS_BITS'(DELTA_OY);
    else delta = ADDRESS_BITS'(DELTA_FRAME);
  end
  wire logic [ADDRESS_BITS:0] sum = {1'b0, address_q} + {1'b0, delta};
  wire logic [ADDRESS_BITS-1:0] less = sum[ADDRESS_BITS-1:0] - ADDRESS_BITS'(DEPTH);

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      fresh_q   <= -NEEDS_FIRST;
      held_q    <= '0;
      address_q <= ADDRESS_BITS'(START);
      valid_q   <= 1'b0;
    end else begin
      fresh_q <= fresh_q + CREDIT_BITS'(write) - needs;
      held_q  <= held_q + CREDIT_BITS'(write) - frees;
      if (!valid_q || m_tready) valid_q <= read;
      if (read) begin
        if (sum >= (ADDRESS_BITS + 1)'(DEPTH)) address_q <= less;
        else address_q <= sum[ADDRESS_BITS-1:0];
      end
    end
  end

  // Outside the image, where the kernel reaches over its border, a read gives FILL.
  wire logic outside;
  if (BORDER) begin : gen_border
    logic [KH-1:0] rows    [OH];
    logic [KW-1:0] columns [OW];

    initial begin
      for (int i = 0; i < int'(OH); i++) rows[i] = ROWS[i*KH+:KH];
      for (int i = 0; i < int'(OW); i++) columns[i] = COLUMNS[i*KW+:KW];
    end

    wire logic [KH-1:0] inside_rows    = rows[oy];
    wire logic [KW-1:0] inside_columns = columns[ox];
    assign outside = !(inside_rows[ky] && inside_columns[kx]);
  end else begin : gen_inside
    assign outside = 1'b0;
  end

  a2q_memory #(.BITS(BITS), .DEPTH(DEPTH), .BLOCK(BLOCK), .FILL(FILL)) memory (
    .clk(clk), .write(write), .write_address(write_address), .write_data(s_tdata),
    .read(read), .blank(outside), .read_address(address_q), .read_data(m_tdata)
  );
endmodule

`default_nettype wire
