// Clips from labelled demonstrations: what a person called done, and what was clearly not.

extension DemonstrationSet {
  /// - Parameters:
  ///   - criterion: `human` takes the labels as they are; by `benchmark`, of which people's demonstrations fall short (they end at 0.77 to
  ///     0.89 coverage), every stretch is negative, and the stretches that the person called done are near misses.
  ///   - window: frames a negative clip.
  public func clips(criterion: String, window: Int) -> [VerifierClip] {
    episodes.flatMap { episode -> [VerifierClip] in
      let labels = ClipLabels.frames(episode.spans, count: episode.observations.count)
      func clip(_ frames: Range<Int>, _ kind: VerifierClip.Kind, done: (Int) -> Bool?) -> VerifierClip {
        let seen = frames.map { episode.uncertainty[$0].allSatisfy { $0 < 512 } ? episode.observations[$0] : Array(repeating: .nan, count: 5) }
        let coverage = frames.last.map { TeePose(episode.observations[$0]).coverage } ?? 0
        return VerifierClip(
          name: "\(episode.name) \(frames.lowerBound)..<\(frames.upperBound)", source: "demonstration", episode: episode.name, kind: kind,
          observations: seen,
          done: frames.map(done), coverage: coverage)
      }
      var clips: [VerifierClip] = []
      for span in episode.spans where span.label == .failure {
        for start in stride(from: span.frames.lowerBound, to: span.frames.upperBound - window / 2, by: window) {
          clips.append(clip(start..<min(start + window, span.frames.upperBound), .failure) { _ in false })
        }
      }
      for span in episode.spans where span.label == .success {
        // What comes just before is in the clip too, so that a debounced verifier may need it, but says nothing of right or wrong.
        let frames = max(0, span.frames.lowerBound - window / 2)..<span.frames.upperBound
        if criterion == "human" {
          clips.append(clip(frames, .success) { labels[$0] == .success ? true : labels[$0] == .failure ? false : nil })
        } else {
          clips.append(clip(frames, .nearMiss) { _ in false })
        }
      }
      return clips
    }
  }
}
