// SPDX-License-Identifier: Apache-2.0
// Buffer of DEPTH beats. A beat that is written in one cycle can be read in the next.
// Memory: DEPTH words of BITS, read without a clock, so that it becomes LUTRAM.

`default_nettype none

module a2q_fifo #(
  parameter int unsigned BITS  = 8,
  parameter int unsigned DEPTH = 4
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
    $error("a2q_fifo: DEPTH must be at least 1");
  end

  localparam int unsigned COUNT_BITS = $clog2(DEPTH + 1);
  localparam int unsigned ADDRESS_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1;

  logic [BITS-1:0]       memory [DEPTH];
  logic [COUNT_BITS-1:0] held_q;

  wire logic [ADDRESS_BITS-1:0] write_address;
  wire logic [ADDRESS_BITS-1:0] read_address;

  wire logic write = s_tvalid && s_tready;
  wire logic read  = m_tvalid && m_tready;

  assign s_tready = held_q != COUNT_BITS'(DEPTH);
  assign m_tvalid = held_q != '0;
  assign m_tdata  = memory[read_address];

  a2q_counter #(.PERIOD(DEPTH)) writes (
    .clk(clk), .rst_n(rst_n), .event_now(write), .count(write_address)
  );
  a2q_counter #(.PERIOD(DEPTH)) reads (
    .clk(clk), .rst_n(rst_n), .event_now(read), .count(read_address)
  );

  always_ff @(posedge clk) begin
    if (!rst_n) held_q <= '0;
    else if (write && !read) held_q <= held_q + COUNT_BITS'(1);
    else if (read && !write) held_q <= held_q - COUNT_BITS'(1);
    if (write) memory[write_address] <= s_tdata;
  end
endmodule

`default_nettype wire
