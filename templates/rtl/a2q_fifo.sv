// SPDX-License-Identifier: Apache-2.0
// Buffer of DEPTH beats. In LUTRAM, which is read without a clock, a beat that is written in one
// cycle can be read in the next; in block RAM (BLOCK) it can a cycle later, from a register.

`default_nettype none

module a2q_fifo #(
  parameter int unsigned BITS  = 8,
  parameter int unsigned DEPTH = 4,
  parameter bit          BLOCK = 1'b0
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

  logic [COUNT_BITS-1:0] held_q;

  wire logic [ADDRESS_BITS-1:0] write_address;
  wire logic [ADDRESS_BITS-1:0] read_address;
  wire logic                    read;
  wire logic write = s_tvalid && s_tready;

  assign s_tready = held_q != COUNT_BITS'(DEPTH);

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
  end

  if (BLOCK) begin : gen_block
    logic valid_q;
    assign m_tvalid = valid_q;
    assign read     = (!valid_q || m_tready) && held_q != '0;

    always_ff @(posedge clk) begin
      if (!rst_n) valid_q <= 1'b0;
      else if (!valid_q || m_tready) valid_q <= read;
    end
    a2q_memory #(.BITS(BITS), .DEPTH(DEPTH), .BLOCK(1'b1)) memory (
      .clk(clk), .write(write), .write_address(write_address), .write_data(s_tdata),
      .blank(1'b0), .read(read), .read_address(read_address), .read_data(m_tdata)
    );
  end else begin : gen_distributed
    logic [BITS-1:0] memory [DEPTH];
    assign m_tvalid = held_q != '0;
    assign read     = m_tvalid && m_tready;
    assign m_tdata  = memory[read_address];

    always_ff @(posedge clk) if (write) memory[write_address] <= s_tdata;
  end
endmodule

`default_nettype wire
