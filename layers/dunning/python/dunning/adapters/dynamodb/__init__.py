"""DynamoDB: two tables, their keys, their items, and the calls on them."""
