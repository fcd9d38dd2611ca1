# SPDX-License-Identifier: Apache-2.0
"""Words that C++ (2014) or SystemVerilog (IEEE 1800-2017) keep for themselves, and our own."""

_WORDS = """
a2q ap_axis ap_int ap_uint hls main std weights

alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t
class compl const const_cast constexpr continue decltype default delete do double dynamic_cast
else enum explicit export extern false float for friend goto if inline int long mutable
namespace new noexcept not not_eq nullptr operator or or_eq private protected public register
reinterpret_cast return short signed sizeof static static_assert static_cast struct switch
template this thread_local throw true try typedef typeid typename union unsigned using virtual
void volatile wchar_t while xor xor_eq

accept_on alias always always_comb always_ff always_latch assert assign assume automatic before
begin bind bins binsof bit buf bufif0 bufif1 byte casex casez cell chandle checker clocking
cmos config constraint context cover covergroup coverpoint cross deassign defparam design
disable dist edge end endcase endchecker endclass endclocking endconfig endfunction endgenerate
endgroup endinterface endmodule endpackage endprimitive endprogram endproperty endsequence
endspecify endtable endtask event eventually expect extends final first_match force foreach
forever fork forkjoin function generate genvar global highz0 highz1 iff ifnone ignore_bins
illegal_bins implements implies import incdir include initial inout input inside instance
integer interconnect interface intersect join join_any join_none large let liblist library
local localparam logic longint macromodule matches medium modport module nand negedge nettype
nexttime nmos nor noshowcancelled notif0 notif1 null output package packed parameter pmos
posedge primitive priority program property pull0 pull1 pulldown pullup pulsestyle_ondetect
pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime ref reject_on
release repeat restrict rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually s_nexttime
s_until s_until_with scalared sequence shortint shortreal showcancelled small soft solve
specify specparam string strong strong0 strong1 super supply0 supply1 sync_accept_on
sync_reject_on table tagged task throughout time timeprecision timeunit tran tranif0 tranif1
tri tri0 tri1 triand trior trireg type unique unique0 until until_with untyped use uwire var
vectored wait wait_order wand weak weak0 weak1 wildcard wire with within wor xnor
"""

KEYWORDS = frozenset(_WORDS.split())


def fresh(name: str, taken: set[str]) -> str:
    """A name that is not taken, also where only case differs; it is taken then."""
    while name.lower() in taken:
        name += "_"
    taken.add(name.lower())
    return name
