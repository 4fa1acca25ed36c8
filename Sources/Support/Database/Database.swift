// Placeholder of Database.
