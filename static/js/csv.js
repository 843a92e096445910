// Exports the results as a CSV file for spreadsheets.

// Spreadsheets treat cells that begin like this as formulas.
const FORMULA = /^[=+\-@\t\r]/;

export function download(cards) {
  const { columns } = document.getElementById("csv").dataset;
  const rows = [columns.split("|"), ...cards.map(row)];
  // Excel recognises UTF-8 by the byte order mark.
  const text = `\ufeff${rows.map((cells) => cells.map(cell).join(",")).join("\r\n")}\r\n`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = "photos.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function row(card) {
  const { answer, error } = card;
  const failure = answer ? "" : (error?.code ?? error?.message ?? "");
  return [
    card.file.webkitRelativePath || card.file.name,
    answer ? card.category : "",
    answer?.data.confidence ?? "",
    answer?.data.description ?? "",
    answer?.source ?? "",
    failure,
    card.hash ?? "",
    (answer ?? error)?.request_id ?? "",
    card.cost || "",
  ];
}

function cell(value) {
  let text = String(value);
  if (typeof value === "string" && FORMULA.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
