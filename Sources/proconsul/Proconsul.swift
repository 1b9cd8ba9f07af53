import CommandLineInterface

/// The executable: everything it can do is a command of `CommandLineInterface`.
@main
enum Proconsul {
  static func main() async {
    await CommandLineInterface.main()
  }
}
