// SPDX-License-Identifier: Apache-2.0
// One small use of every resource that the reports count.
`default_nettype none
module every (
  input  wire logic clk, input wire logic we,
  input  wire logic [9:0] addr, input wire logic [35:0] d,
  input  wire logic signed [17:0] a, input wire logic signed [17:0] b,
  output logic [35:0] big, output logic [8:0] small, output logic [7:0] local_ram,
  output logic tap, output logic signed [35:0] product, output logic parity, output logic inverted);
  logic [35:0] m36 [0:1023];
  logic [8:0]  m18 [0:1023];
  logic [7:0]  mlut [0:31];
  logic [19:0] line;
  always_ff @(posedge clk) begin
    if (we) m36[addr] <= d;
    big <= m36[addr];
  end
  always_ff @(posedge clk) begin
    if (we) m18[addr] <= d[8:0];
    small <= m18[addr];
  end
  always_ff @(posedge clk) if (we) mlut[addr[4:0]] <= d[7:0];
  assign local_ram = mlut[d[20:16]];
  always_ff @(posedge clk) line <= {line[18:0], d[35]};
  assign tap = line[19];
  always_ff @(posedge clk) product <= a * b;
  always_ff @(posedge clk) parity <= ^d;
  assign inverted = ~we;
endmodule
