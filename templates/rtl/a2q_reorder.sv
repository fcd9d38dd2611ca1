// SPDX-License-Identifier: Apache-2.0
// SPAN words at a time in another order, words possibly several times, from a cyclic buffer.
//
//   for i < COUNT0, j < COUNT1, k < COUNT2, l < COUNT3:  word i*STRIDE0 + ... + l*STRIDE3
//
// A span is read when it is whole and freed when its last beat is read; meanwhile the next words are
// written, as far as DEPTH allows. DELTA<n> leads from one address to the next, modulo DEPTH, where
// loop n is the innermost that goes on; DELTA_SPAN to the next span.

`default_nettype none

module a2q_reorder #(
  parameter int unsigned BITS   = 4,
  parameter int unsigned COUNT0 = 1,
  parameter int unsigned COUNT1 = 1,
  parameter int unsigned COUNT2 = 1,
  parameter int unsigned COUNT3 = 1,
  parameter int unsigned SPAN   = 1,
  parameter int unsigned DEPTH  = 2,
  parameter bit          BLOCK  = 1'b0,
  parameter int unsigned DELTA3 = 1,
  parameter int unsigned DELTA2 = 1,
  parameter int unsigned DELTA1 = 1,
  parameter int unsigned DELTA0 = 1,
  parameter int unsigned DELTA_SPAN = 1
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
  if (DEPTH < SPAN) begin : gen_illegal
    $error("a2q_reorder: DEPTH must be at least SPAN");
  end

  localparam int unsigned ADDRESS_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1;
  localparam int unsigned HELD_BITS    = $clog2(DEPTH + 1);
  localparam int unsigned BITS0 = COUNT0 > 1 ? $clog2(COUNT0) : 1;
  localparam int unsigned BITS1 = COUNT1 > 1 ? $clog2(COUNT1) : 1;
  localparam int unsigned BITS2 = COUNT2 > 1 ? $clog2(COUNT2) : 1;
  localparam int unsigned BITS3 = COUNT3 > 1 ? $clog2(COUNT3) : 1;

  logic [HELD_BITS-1:0]    held_q;
  logic [ADDRESS_BITS-1:0] address_q;
  logic                    valid_q;

  wire logic [ADDRESS_BITS-1:0] write_address;
  wire logic [BITS0-1:0] count0;
  wire logic [BITS1-1:0] count1;
  wire logic [BITS2-1:0] count2;
  wire logic [BITS3-1:0] count3;

  wire logic write = s_tvalid && s_tready;
  wire logic read  = (!valid_q || m_tready) && held_q >= HELD_BITS'(SPAN);

  assign s_tready = held_q != HELD_BITS'(DEPTH);
  assign m_tvalid = valid_q;

  wire logic end3 = count3 == BITS3'(COUNT3 - 1);
  wire logic end2 = end3 && count2 == BITS2'(COUNT2 - 1);
  wire logic end1 = end2 && count1 == BITS1'(COUNT1 - 1);
  wire logic end0 = end1 && count0 == BITS0'(COUNT0 - 1);

  a2q_counter #(.PERIOD(DEPTH)) write_counter (
    .clk(clk), .rst_n(rst_n), .event_now(write), .count(write_address)
  );
  a2q_counter #(.PERIOD(COUNT3)) counter3 (
    .clk(clk), .rst_n(rst_n), .event_now(read), .count(count3)
  );
  a2q_counter #(.PERIOD(COUNT2)) counter2 (
    .clk(clk), .rst_n(rst_n), .event_now(read && end3), .count(count2)
  );
  a2q_counter #(.PERIOD(COUNT1)) counter1 (
    .clk(clk), .rst_n(rst_n), .event_now(read && end2), .count(count1)
  );
  a2q_counter #(.PERIOD(COUNT0)) counter0 (
    .clk(clk), .rst_n(rst_n), .event_now(read && end1), .count(count0)
  );

  logic [ADDRESS_BITS-1:0] delta;
  always_comb begin
    if (!end3) delta = ADDRESS_BITS'(DELTA3);
    else if (!end2) delta = ADDRESS_BITS'(DELTA2);
    else if (!end1) delta = ADDRESS_BITS'(DELTA1);
    else if (!end0) delta = ADDRESS_BITS'(DELTA0);
    else delta = ADDRESS_BITS'(DELTA_SPAN);
  end
  wire logic [ADDRESS_BITS:0] sum = {1'b0, address_q} + {1'b0, delta};
  wire logic [ADDRESS_BITS-1:0] less = sum[ADDRESS_BITS-1:0] - ADDRESS_BITS'(DEPTH);

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      held_q    <= '0;
      address_q <= '0;
      valid_q   <= 1'b0;
    end else begin
      held_q <= held_q + HELD_BITS'(write) - (read && end0 ? HELD_BITS'(SPAN) : '0);
      if (!valid_q || m_tready) valid_q <= read;
      if (read) begin
        if (sum >= (ADDRESS_BITS + 1)'(DEPTH)) address_q <= less;
        else address_q <= sum[ADDRESS_BITS-1:0];
      end
    end
  end

  a2q_memory #(.BITS(BITS), .DEPTH(DEPTH), .BLOCK(BLOCK)) memory (
    .clk(clk), .write(write), .write_address(write_address), .write_data(s_tdata),
    .blank(1'b0), .read(read), .read_address(address_q), .read_data(m_tdata)
  );
endmodule

`default_nettype wire
