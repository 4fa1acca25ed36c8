// Clips from labelled demonstrations: what a person called done, what came closest before that, and what was clearly not.

extension DemonstrationSet {
  /// Of each labelled episode a success, a near miss (the last stretch that the person called not done) and a failure (one from the middle of
  /// what came before). By the benchmark's criterion, of which people's demonstrations fall short (they end at 0.77 to 0.89 coverage), the
  /// stretch that the person called done is a near miss, and none is a success.
  /// - Parameter window: frames a negative clip.
  public func clips(criterion: String, window: Int) -> [VerifierClip] {
    episodes.flatMap { episode -> [VerifierClip] in
      let labels = ClipLabels.frames(episode.spans, count: episode.observations.count)
      func clip(_ frames: Range<Int>, _ kind: VerifierClip.Kind, done: (Int) -> Bool?) -> VerifierClip {
        let seen = frames.map { frame -> Observation in
          let isSeen = episode.uncertainty[frame].allSatisfy { $0 < 512 }
          return (isSeen ? episode.observations[frame] : Array(repeating: .nan, count: 5)) + (senses.isEmpty ? [] : episode.told[frame])
        }
        let coverage = frames.last.map { TeePose(episode.observations[$0]).coverage } ?? 0
        return VerifierClip(
          name: "\(episode.name) \(frames.lowerBound)..<\(frames.upperBound)", source: "demonstration", episode: episode.name, kind: kind,
          observations: seen, senses: senses, done: frames.map(done), coverage: coverage)
      }
      let successes = episode.spans.filter { $0.label == .success }.map { span in
        // What comes just before is in the clip too, so that a debounced verifier may need it, but says nothing of right or wrong.
        let frames = max(0, span.frames.lowerBound - window / 2)..<span.frames.upperBound
        return criterion == "human"
          ? clip(frames, .success) { labels[$0] == .success ? true : labels[$0] == .failure ? false : nil } : clip(frames, .nearMiss) { _ in false }
      }
      let failures = episode.spans.filter { $0.label == .failure }.flatMap { span in
        // Backwards from the end of the stretch, so that what came closest to a change is whole.
        stride(from: span.frames.upperBound, to: span.frames.lowerBound + window / 2, by: -window).map { end in
          max(span.frames.lowerBound, end - window)..<end
        }
      }.sorted { $0.lowerBound < $1.lowerBound }
      let closest = criterion == "human" ? failures.last.map { [clip($0, .nearMiss) { _ in false }] } ?? [] : []
      let earlier = criterion == "human" ? failures.dropLast() : failures[...]
      let middle = earlier.isEmpty ? [] : [clip(earlier[earlier.startIndex + earlier.count / 2], .failure) { _ in false }]
      return successes + closest + middle
    }
  }
}
