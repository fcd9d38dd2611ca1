// SPDX-License-Identifier: Apache-2.0
// A Verilated top as the harness sees it. The build defines S_PORT, S_LANES, S_BITS, S_BEATS and
// the same for M, and M_SIGNED. This is compiled with every design: the rest is in harness.cpp.

#include "Vtop.h"
#include "harness.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define S_TDATA JOIN(S_PORT, _TDATA)
#define S_TVALID JOIN(S_PORT, _TVALID)
#define S_TREADY JOIN(S_PORT, _TREADY)
#define M_TDATA JOIN(M_PORT, _TDATA)
#define M_TVALID JOIN(M_PORT, _TVALID)
#define M_TREADY JOIN(M_PORT, _TREADY)

namespace {

constexpr size_t kInWords = a2q::words_of(S_LANES, S_BITS);
constexpr size_t kOutWords = a2q::words_of(M_LANES, M_BITS);

template <typename Port>
void write_port(Port& port, const uint32_t* words) {
  uint64_t value = words[0];
  if (kInWords > 1) value |= static_cast<uint64_t>(words[1]) << 32;
  port = static_cast<Port>(value);
}

template <size_t N>
void write_port(VlWide<N>& port, const uint32_t* words) {
  for (size_t i = 0; i < kInWords; ++i) port[i] = words[i];
}

template <typename Port>
void read_port(const Port& port, uint32_t* words) {
  words[0] = static_cast<uint32_t>(port);
  if (kOutWords > 1) words[1] = static_cast<uint32_t>(static_cast<uint64_t>(port) >> 32);
}

template <size_t N>
void read_port(const VlWide<N>& port, uint32_t* words) {
  for (size_t i = 0; i < kOutWords; ++i) words[i] = port[i];
}

class Top final : public a2q::Design {
 public:
  void reset(bool active) override {
    top_.ap_rst_n = !active;
    top_.ap_start = !active;
  }
  void clock(bool high) override {
    top_.ap_clk = high;
    top_.eval();
  }
  void put(const uint32_t* beat) override { write_port(top_.S_TDATA, beat); }
  void handshake(bool valid, bool ready) override {
    top_.S_TVALID = valid;
    top_.M_TREADY = ready;
  }
  bool accepts() const override { return top_.S_TREADY; }
  bool offers() const override { return top_.M_TVALID; }
  void get(uint32_t* beat) const override { read_port(top_.M_TDATA, beat); }
  void finish() override { top_.final(); }

 private:
  Vtop top_;
};

}  // namespace

int main(int argc, char** argv) {
  Top design;
  const a2q::Stream source{S_LANES, S_BITS, S_BEATS, false};
  const a2q::Stream sink{M_LANES, M_BITS, M_BEATS, M_SIGNED};
  return a2q::simulate(design, source, sink, argc, argv);
}
