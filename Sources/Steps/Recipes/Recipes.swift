// Recipes for whoever is not a step: the schema as text, and the faults of a document.

public import JSON

public enum Recipes {
  /// The JSON Schema of a recipe; workflows/schemas/recipe.schema.json is its pretty text.
  public static var schema: JSON { Recipe.schema }

  /// One sentence for each fault, with the JSON pointer of its place; none for a recipe that can be used.
  public static func faults(in recipe: JSON) -> [String] { Recipe.faults(in: recipe).map(\.description) }

  /// The recipe with every setting written out. Throws the first fault.
  public static func complete(_ recipe: JSON) throws -> JSON { try Recipe(recipe).json }
}
