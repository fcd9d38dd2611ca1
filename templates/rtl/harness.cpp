// SPDX-License-Identifier: Apache-2.0
// Drives the frames of a file through a design and writes what comes out.
//
//   harness INPUT OUTPUT STATISTICS SEED GAPS STALLS LIMIT
//
// GAPS and STALLS: how many of 1000 cycles, at random, the source offers no new beat and the sink is
// not ready. LIMIT: cycles without any beat after which the design counts as stuck. The protocol is
// checked on the way: a stalled output beat must stay valid and unchanged, and none may be left over.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "harness.h"

namespace {

using a2q::Design;
using a2q::Stream;
using a2q::words_of;
using Words = std::vector<uint32_t>;

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
Words read_frames(const char* path, const Stream& source) {
  std::ifstream file(path);
  if (!file) fail(std::string("cannot read ") + path);
  Words packed;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream codes(line);
    for (size_t beat = 0; beat < source.beats; ++beat) {
      size_t base = packed.size();
      packed.resize(base + words_of(source.lanes, source.bits), 0);
      for (size_t lane = 0; lane < source.lanes; ++lane) {
        int64_t code = 0;
        if (!(codes >> code)) fail("a frame with fewer codes than the input has channels");
        put_bits(&packed[base], lane * source.bits, source.bits, code);
      }
    }
  }
  return packed;
}

void write_frames(const char* path, const std::vector<Words>& beats, const Stream& sink) {
  std::ofstream file(path);
  for (size_t beat = 0; beat < beats.size(); ++beat) {
    for (size_t lane = 0; lane < sink.lanes; ++lane) {
      file << get_bits(beats[beat], lane * sink.bits, sink.bits, sink.is_signed);
      bool ends = lane + 1 == sink.lanes && (beat + 1) % sink.beats == 0;
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
  Bench(Design& design, const Stream& source, const Stream& sink)
      : design_(design), source_(source), sink_(sink) {
    design_.reset(true);
    design_.handshake(false, false);
    for (int i = 0; i < 4; ++i) tick();
    design_.reset(false);
  }

  ~Bench() { design_.finish(); }

  Run run(const Words& in, uint64_t seed, unsigned gaps, unsigned stalls, uint64_t limit) {
    const size_t in_words = words_of(source_.lanes, source_.bits);
    const size_t out_words = words_of(sink_.lanes, sink_.bits);
    const size_t in_beats = in.size() / in_words;
    const size_t out_beats = in_beats / source_.beats * sink_.beats;
    Random random(seed);
    Run run;
    run.out.reserve(out_beats);
    Words beat(out_words), held(out_words);
    bool offered = false, stalled = false;
    size_t sent = 0;
    uint64_t idle = 0;
    for (uint64_t cycle = 0; run.out.size() < out_beats; ++cycle) {
      // An offered beat stays offered: AXI-Stream forbids to withdraw it.
      offered = offered || (sent < in_beats && !random.happens(gaps));
      if (offered) design_.put(&in[sent * in_words]);
      const bool ready = !random.happens(stalls);
      design_.handshake(offered, ready);
      design_.clock(false);
      const bool accepted = offered && design_.accepts();
      const bool valid = design_.offers();
      const bool taken = valid && ready;
      if (valid) design_.get(beat.data());
      if (stalled && (!valid || beat != held)) fail("a stalled output beat changed");
      stalled = valid && !ready;
      if (stalled) held = beat;
      if (accepted && sent++ == 0) run.first_in = cycle;
      if (accepted) offered = false;
      if (taken) run.out.push_back(beat);
      if (taken && run.out.size() % sink_.beats == 0) run.frame_ends.push_back(cycle);
      idle = accepted || taken ? 0 : idle + 1;
      if (idle > limit) fail(stuck(sent, in_beats, run.out.size(), out_beats, limit));
      design_.clock(true);
    }
    // No beat may be left over: twice the time of a frame passes without one.
    refuse_more(run.frame_ends.empty() ? 64 : 64 + 2 * (run.frame_ends[0] - run.first_in));
    return run;
  }

 private:
  void tick() {
    design_.clock(false);
    design_.clock(true);
  }

  std::string stuck(size_t sent, size_t all_in, size_t got, size_t all_out, uint64_t limit) const {
    std::ostringstream text;
    text << "stuck: no beat for " << limit << " cycles; accepted " << sent << " of " << all_in
         << " input beats, got " << got << " of " << all_out << " output beats; input TREADY="
         << design_.accepts() << ", output TVALID=" << design_.offers();
    return text.str();
  }

  void refuse_more(uint64_t cycles) {
    design_.handshake(false, true);
    for (uint64_t i = 0; i < cycles; ++i) {
      tick();
      if (design_.offers()) fail("an output beat after the last frame");
    }
  }

  Design& design_;
  const Stream source_;
  const Stream sink_;
};

}  // namespace

namespace a2q {

int simulate(Design& design, const Stream& source, const Stream& sink, int argc, char** argv) {
  if (argc != 8) fail("usage: harness INPUT OUTPUT STATISTICS SEED GAPS STALLS LIMIT");
  const Words in = read_frames(argv[1], source);
  Bench bench(design, source, sink);
  const auto begin = std::chrono::steady_clock::now();
  const Run run = bench.run(in, std::strtoull(argv[4], nullptr, 10), std::atoi(argv[5]),
                            std::atoi(argv[6]), std::strtoull(argv[7], nullptr, 10));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  write_frames(argv[2], run.out, sink);
  std::ofstream statistics(argv[3]);
  statistics << run.first_in << ' ' << seconds.count() << '\n';
  for (uint64_t end : run.frame_ends) statistics << end << '\n';
  return 0;
}

}  // namespace a2q
