// swift-tools-version: 6.2
import PackageDescription

// `make setup` installs the Debian packages named below and puts MuJoCo's library into .deps/.
let mujoco = Context.packageDirectory + "/.deps/mujoco"

let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  // Whoever imports Physics, however far away, reads MuJoCo's headers.
  .unsafeFlags(["-Xcc", "-I\(mujoco)/include"]),
]

func library(
  _ name: String, under folder: String = "Sources/", _ dependencies: [Target.Dependency] = [],
  swift extra: [SwiftSetting] = [], linker: [LinkerSetting] = []
) -> Target {
  .target(name: name, dependencies: dependencies, path: folder + name, swiftSettings: swiftSettings + extra, linkerSettings: linker)
}

func system(_ name: String, pkgConfig: String? = nil, apt: String) -> Target {
  .systemLibrary(name: name, path: "Sources/Support/" + name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name + "Tests", dependencies: dependencies, path: "Tests/" + name + "Tests", swiftSettings: swiftSettings)
}

let collections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let support = "Sources/Support/"

let package = Package(
  name: "enpire",
  products: [
    .executable(name: "enpire", targets: ["enpire"]),
    .executable(name: "enpire-worker", targets: ["enpire-worker"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
  ],
  targets: [
    // C libraries, and what Swift cannot import of them.
    system("CJansson", pkgConfig: "jansson", apt: "libjansson-dev"),
    system("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
    system("CNettle", pkgConfig: "nettle", apt: "nettle-dev"),
    system("CGit2", pkgConfig: "libgit2", apt: "libgit2-dev"),
    system("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
    system("CChipmunk", apt: "libchipmunk-dev"),
    system("CMuJoCo", apt: "mujoco"),
    .target(name: "CLinux", path: support + "CLinux"),
    .target(
      name: "CVision", path: support + "CVision",
      cxxSettings: [.unsafeFlags(["-isystem", "/usr/include/opencv4"])],
      linkerSettings: ["core", "imgproc", "imgcodecs", "videoio"].map { .linkedLibrary("opencv_" + $0) }),
    .target(
      name: "CTorch", path: support + "CTorch",
      cxxSettings: [
        .unsafeFlags(["-isystem", "/usr/include/torch/csrc/api/include", "-w", "-fno-math-errno", "-ffp-contract=off", "-mprefer-vector-width=512"])
      ],
      linkerSettings: ["torch", "torch_cpu", "c10"].map { .linkedLibrary($0) }),

    // Thin Swift wrappers.
    library("JSON", under: support, ["CJansson", collections]),
    library("Hashing", under: support, ["CNettle"]),
    library("NumPy", under: support),
    library("Database", under: support, ["CSQLite"]),
    library("Git", under: support, ["CGit2"]),
    library("HTTP", under: support, ["CCurl"]),
    library("Vision", under: support, ["CVision"]),
    library("Tensor", under: support, ["CTorch"]),
    library("Confinement", under: support),
    library("Loopback", under: support),
    library(
      "Physics", under: support, ["CChipmunk", "CMuJoCo"],
      linker: [.unsafeFlags(["-L\(mujoco)", "-Xlinker", "-rpath", "-Xlinker", mujoco])]),

    // The system.
    library("Workflow", ["JSON", "Hashing", "Database", "CLinux", collections, heap], swift: [.unsafeFlags(["-enable-testing"])]),
    library(
      "Robot", ["JSON", "Hashing", "NumPy", "Physics", "Vision", "Confinement"],
      swift: [.unsafeFlags(["-Ounchecked", "-enable-testing"], .when(configuration: .release))]),
    library("Learning", ["JSON", "Hashing", "NumPy", "Tensor"]),
    library("LLM", ["JSON", "Hashing", "HTTP", "Git"]),
    .target(
      name: "Steps", dependencies: ["JSON", "Hashing", "Workflow", "Robot", "Learning", "LLM", "Git", "Vision", "Tensor", "NumPy", "Loopback"],
      path: "Sources/Steps",
      swiftSettings: swiftSettings, plugins: ["StepCatalogue"]),
    .plugin(name: "StepCatalogue", capability: .buildTool(), path: "Plugins/StepCatalogue"),

    // The two programs.
    .executableTarget(
      name: "enpire", dependencies: ["Workflow", "JSON", "Hashing", arguments], path: "Sources/Commands/enpire",
      swiftSettings: swiftSettings,
      linkerSettings: [
        .unsafeFlags(["-static-stdlib", "-lswiftSynchronization", "-l_FoundationCShims", "-l_FoundationCollections"], .when(configuration: .release))
      ]),
    .executableTarget(
      name: "enpire-worker", dependencies: ["Steps", "Workflow", "JSON", "HTTP"], path: "Sources/Commands/enpire-worker",
      swiftSettings: swiftSettings),

    // Benchmarks beside peers.
    .executableTarget(
      name: "push-t-speed", dependencies: ["Robot", "JSON", "Hashing"], path: "Benchmarks/push-t-speed",
      exclude: ["gym_speed.py"], swiftSettings: swiftSettings),
    .executableTarget(
      name: "eyes-study", dependencies: ["Robot", "Vision", "NumPy", "JSON"], path: "Benchmarks/eyes", exclude: ["study.py", "lerobot_reader.py"],
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "learn-speed", dependencies: ["Learning", "JSON", "Hashing", "CLinux"], path: "Benchmarks/learn-speed",
      exclude: ["learn_speed.py"], swiftSettings: swiftSettings),

    tests("Support", ["JSON", "Hashing", "NumPy", "Database", "Git", "HTTP", "Vision", "Tensor", "Physics", "Confinement", "Loopback"]),
    tests("Workflow", ["Workflow", "JSON", "Hashing"]),
    tests("Robot", ["Robot", "Vision", "JSON", "Hashing", "NumPy"]),
    tests("Learning", ["Learning", "Tensor", "JSON", "Hashing", "NumPy"]),
    tests("LLM", ["LLM", "Git", "HTTP", "JSON", "Hashing"]),
    tests("Steps", ["Steps", "Workflow", "Robot", "Learning", "LLM", "Git", "HTTP", "JSON", "Hashing", "NumPy", "Vision"]),
    tests("EndToEnd", ["JSON", "Hashing"]),
  ],
  cxxLanguageStandard: .cxx17
)
