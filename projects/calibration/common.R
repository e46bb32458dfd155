# What the R scripts here share: arguments, reading responses and anchors, writing items, errors.
options(warn = 1)

fail <- function(...) {
  message("calibration: error: ", ...)
  quit(save = "no", status = 2)
}

need <- function(package) {
  if (!requireNamespace(package, quietly = TRUE)) {
    fail("the R package ", package, " is not installed. Install it with ",
         "install.packages(\"", package, "\") in R, or apt-get install r-cran-", package,
         " where Debian has it")
  }
}

# --name=value for responses, anchors, output, min_responses, and the names in `more`.
arguments <- function(more) {
  given <- c(list(responses = "", anchors = "", output = "", min_responses = 200), more)
  for (word in commandArgs(trailingOnly = TRUE)) {
    parts <- regmatches(word, regexec("^--([a-z_-]+)=(.*)$", word))[[1]]
    name <- gsub("-", "_", parts[2])
    if (length(parts) != 3 || !(name %in% names(given))) fail("unknown argument: ", word)
    value <- parts[3]
    if (is.numeric(given[[name]])) {
      value <- suppressWarnings(as.numeric(value))
      if (is.na(value)) fail("bad value for ", name, ": ", parts[3])
    }
    given[[name]] <- value
  }
  if (given$responses == "" || given$output == "") fail("--responses and --output are needed")
  given
}

read_columns <- function(path, columns) {
  if (!file.exists(path)) fail("no such file: ", path)
  table <- read.csv(path, colClasses = "character", check.names = FALSE, na.strings = character())
  missing <- setdiff(columns, names(table))
  if (length(missing)) {
    fail(path, " lacks the column ", missing[1], "; it has ", paste(names(table), collapse = ", "))
  }
  table[columns]
}

# One row an answer; of several answers of a user to an item the first; thin items dropped.
responses <- function(given) {
  table <- read_columns(given$responses, c("user", "item", "response"))
  table <- table[table$response != "", ]
  if (!all(table$response %in% c("0", "1"))) {
    fail("response other than 0 and 1: ", setdiff(table$response, c("0", "1"))[1])
  }
  table <- table[!duplicated(table[c("user", "item")]), ]
  counts <- table(table$item)
  table <- table[table$item %in% names(counts)[counts >= given$min_responses], ]
  if (!nrow(table)) fail("no item has min_responses=", given$min_responses, " responses")
  table$response <- as.integer(table$response)
  table
}

anchors_of <- function(given, items) {
  if (given$anchors == "") return(data.frame(item = character(), a = numeric(), b = numeric()))
  table <- read_columns(given$anchors, c("item", "a", "b"))
  table$a <- as.numeric(table$a)
  table$b <- as.numeric(table$b)
  bad <- is.na(table$a) | table$a <= 0 | is.na(table$b)
  if (any(bad)) fail("anchor ", table$item[bad][1], " with an unusable a or b")
  absent <- setdiff(table$item, items)
  if (length(absent)) fail("anchor without a response: ", absent[1])
  table
}

write_items <- function(given, items, a, b, a_sd, b_sd) {
  table <- data.frame(item = items, a = a, b = b, a_sd = a_sd, b_sd = b_sd)
  write.csv(table, given$output, row.names = FALSE)
  cat("wrote", nrow(table), "items to", given$output, "\n")
}
