// SPDX-License-Identifier: Apache-2.0
`timescale 1 ns / 1 ps
module net_ROM_AUTO_1R (
    clk,
    address0, ce0, q0
);

parameter DataWidth = 4;
parameter AddressRange = 4;
parameter File = "";

input clk;
input [15:0] address0;
input ce0;
output reg [DataWidth-1:0] q0;

(* rom_style = "auto" *) reg [DataWidth-1:0] rom0 [0:AddressRange-1];

initial begin
    $readmemh(File, rom0);
end

always @(posedge clk)
begin
    if (ce0)
    begin
        q0 <= rom0[address0];
    end
end

endmodule
