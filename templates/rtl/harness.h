// SPDX-License-Identifier: Apache-2.0
// What the harness asks of a Verilated design; design.cpp gives it of one, and harness.cpp is
// compiled once for all.

#ifndef A2Q_HARNESS_H
#define A2Q_HARNESS_H

#include <cstddef>
#include <cstdint>

namespace a2q {

// A beat has `lanes` codes of `bits` bits, the first one lowest; a frame has `beats` beats.
struct Stream {
  size_t lanes;
  size_t bits;
  size_t beats;
  bool is_signed;
};

constexpr size_t words_of(size_t lanes, size_t bits) { return (lanes * bits + 31) / 32; }

class Design {
 public:
  virtual void reset(bool active) = 0;  // ap_start is the opposite.
  virtual void clock(bool high) = 0;    // Evaluates, too.
  virtual void put(const uint32_t* beat) = 0;
  virtual void handshake(bool valid, bool ready) = 0;
  virtual bool accepts() const = 0;
  virtual bool offers() const = 0;
  virtual void get(uint32_t* beat) const = 0;
  virtual void finish() = 0;

 protected:
  ~Design() = default;
};

// The main program; see harness.cpp for its arguments.
int simulate(Design& design, const Stream& source, const Stream& sink, int argc, char** argv);

}  // namespace a2q

#endif
