// SPDX-License-Identifier: Apache-2.0
// Drives the frames of a file through a Verilated top and writes what comes out.
//
//   harness INPUT OUTPUT STATISTICS SEED GAPS STALLS LIMIT
//
// GAPS and STALLS: how many of 1000 cycles, at random, the source offers no new beat and the sink is
// not ready. LIMIT: cycles without any beat after which the design counts as stuck. The protocol is
// checked on the way: a stalled output beat must stay valid and unchanged, and none may be left over.
// The build defines S_PORT, S_LANES, S_BITS, S_BEATS and the same for M, and M_SIGNED.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "Vtop.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define S_TDATA JOIN(S_PORT, _TDATA)
#define S_TVALID JOIN(S_PORT, _TVALID)
#define S_TREADY JOIN(S_PORT, _TREADY)
#define M_TDATA JOIN(M_PORT, _TDATA)
#define M_TVALID JOIN(M_PORT, _TVALID)
#define M_TREADY JOIN(M_PORT, _TREADY)

namespace {

using Words = std::vector<uint32_t>;

constexpr size_t words_of(size_t bits) { return (bits + 31) / 32; }
constexpr size_t kInWords = words_of(S_LANES * S_BITS);
constexpr size_t kOutWords = words_of(M_LANES * M_BITS);

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
void read_port(const Port& port, Words& words) {
  words[0] = static_cast<uint32_t>(port);
  if (kOutWords > 1) words[1] = static_cast<uint32_t>(static_cast<uint64_t>(port) >> 32);
}

template <size_t N>
void read_port(const VlWide<N>& port, Words& words) {
  for (size_t i = 0; i < kOutWords; ++i) words[i] = port[i];
}

void put_bits(uint32_t* words, size_t offset, size_t bits, int64_t value) {
  for (size_t i = 0; i < bits; ++i, ++offset) {
    words[offset / 32] |= static_cast<uint32_t>((value >> i) & 1) << (offset % 32);
  }
}

int64_t get_bits(const Words& words, size_t offset, size_t bits, bool is_signed) {
  uint64_t value = 0;
  for (size_t i = 0; i < bits; ++i, ++offset) {
    value |= static_cast<uint64_t>((words[offset / 32] >> (offset % 32)) & 1) << i;
  }
  if (is_signed && ((value >> (bits - 1)) & 1)) value |= ~uint64_t{0} << (bits - 1);
  return static_cast<int64_t>(value);
}

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2654435769u + 88172645463325252u) {}
  bool happens(unsigned permille) {
    if (permille == 0) return false;
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return (state_ >> 11) % 1000 < permille;
  }

 private:
  uint64_t state_;
};

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "harness: %s\n", message.c_str());
  std::exit(1);
}

// All input beats of all frames, packed.
Words read_frames(const char* path) {
  std::ifstream file(path);
  if (!file) fail(std::string("cannot read ") + path);
  Words packed;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream codes(line);
    for (size_t beat = 0; beat < S_BEATS; ++beat) {
      size_t base = packed.size();
      packed.resize(base + kInWords, 0);
      for (size_t lane = 0; lane < S_LANES; ++lane) {
        int64_t code = 0;
        if (!(codes >> code)) fail("a frame with fewer codes than the input has channels");
        put_bits(&packed[base], lane * S_BITS, S_BITS, code);
      }
    }
  }
  return packed;
}

void write_frames(const char* path, const std::vector<Words>& beats) {
  std::ofstream file(path);
  for (size_t beat = 0; beat < beats.size(); ++beat) {
    for (size_t lane = 0; lane < M_LANES; ++lane) {
      file << get_bits(beats[beat], lane * M_BITS, M_BITS, M_SIGNED);
      bool ends = lane + 1 == M_LANES && (beat + 1) % M_BEATS == 0;
      file << (ends ? '\n' : ' ');
    }
  }
}

struct Run {
  std::vector<Words> out;
  uint64_t first_in = 0;
  std::vector<uint64_t> frame_ends;
};

class Bench {
 public:
  Bench() : top_(std::make_unique<Vtop>()) {
    top_->ap_start = 0;
    top_->S_TVALID = 0;
    top_->M_TREADY = 0;
    top_->ap_rst_n = 0;
    for (int i = 0; i < 4; ++i) tick();
    top_->ap_rst_n = 1;
    top_->ap_start = 1;
  }

  ~Bench() { top_->final(); }

  Run run(const Words& in, uint64_t seed, unsigned gaps, unsigned stalls, uint64_t limit) {
    const size_t in_beats = in.size() / kInWords;
    const size_t out_beats = in_beats / S_BEATS * M_BEATS;
    Random random(seed);
    Run run;
    run.out.reserve(out_beats);
    Words beat(kOutWords), held(kOutWords);
    bool offered = false, stalled = false;
    size_t sent = 0;
    uint64_t idle = 0;
    for (uint64_t cycle = 0; run.out.size() < out_beats; ++cycle) {
      // An offered beat stays offered: AXI-Stream forbids to withdraw it.
      offered = offered || (sent < in_beats && !random.happens(gaps));
      if (offered) write_port(top_->S_TDATA, &in[sent * kInWords]);
      top_->S_TVALID = offered;
      top_->M_TREADY = !random.happens(stalls);
      top_->ap_clk = 0;
      top_->eval();
      const bool accepted = offered && top_->S_TREADY;
      const bool taken = top_->M_TVALID && top_->M_TREADY;
      if (top_->M_TVALID) read_port(top_->M_TDATA, beat);
      if (stalled && (!top_->M_TVALID || beat != held)) fail("a stalled output beat changed");
      stalled = top_->M_TVALID && !top_->M_TREADY;
      if (stalled) held = beat;
      if (accepted && sent++ == 0) run.first_in = cycle;
      if (accepted) offered = false;
      if (taken) run.out.push_back(beat);
      if (taken && run.out.size() % M_BEATS == 0) run.frame_ends.push_back(cycle);
      idle = accepted || taken ? 0 : idle + 1;
      if (idle > limit) fail(stuck(sent, in_beats, run.out.size(), out_beats, limit));
      rise();
    }
    // No beat may be left over: twice the time of a frame passes without one.
    refuse_more(run.frame_ends.empty() ? 64 : 64 + 2 * (run.frame_ends[0] - run.first_in));
    return run;
  }

 private:
  void rise() {
    top_->ap_clk = 1;
    top_->eval();
  }

  void tick() {
    top_->ap_clk = 0;
    top_->eval();
    rise();
  }

  std::string stuck(size_t sent, size_t all_in, size_t got, size_t all_out, uint64_t limit) const {
    std::ostringstream text;
    text << "stuck: no beat for " << limit << " cycles; accepted " << sent << " of " << all_in
         << " input beats, got " << got << " of " << all_out << " output beats; input TREADY="
         << int(top_->S_TREADY) << ", output TVALID=" << int(top_->M_TVALID);
    return text.str();
  }

  void refuse_more(uint64_t cycles) {
    top_->S_TVALID = 0;
    top_->M_TREADY = 1;
    for (uint64_t i = 0; i < cycles; ++i) {
      tick();
      if (top_->M_TVALID) fail("an output beat after the last frame");
    }
  }

  std::unique_ptr<Vtop> top_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) fail("usage: harness INPUT OUTPUT STATISTICS SEED GAPS STALLS LIMIT");
  const Words in = read_frames(argv[1]);
  Bench bench;
  const auto begin = std::chrono::steady_clock::now();
  const Run run = bench.run(in, std::strtoull(argv[4], nullptr, 10), std::atoi(argv[5]),
                            std::atoi(argv[6]), std::strtoull(argv[7], nullptr, 10));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  write_frames(argv[2], run.out);
  std::ofstream statistics(argv[3]);
  statistics << run.first_in << ' ' << seconds.count() << '\n';
  for (uint64_t end : run.frame_ends) statistics << end << '\n';
  return 0;
}
