import Foundation
import Values

/// Results on standard output.
enum Output {
    static func line(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    /// Columns padded to their widest cell; numbers to the right.
    static func table(_ header: [String], _ rows: [[String]]) {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        for row in all {
            let cells = row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                let isNumber = column > 0 && rows.allSatisfy { Double($0[column].replacing(",", with: "")) != nil || $0[column] == "-" }
                return isNumber ? padding + row[column] : row[column] + padding
            }
            line(cells.joined(separator: "  ").trimmed)
        }
    }

    /// 1234567 as 1,234,567.
    static func count(_ number: Int64) -> String {
        let digits = String(number.magnitude)
        let grouped = digits.enumerated().map { index, digit in
            index > 0 && (digits.count - index) % 3 == 0 ? ",\(digit)" : String(digit)
        }
        return (number < 0 ? "-" : "") + grouped.joined()
    }
}

extension String {
    fileprivate var trimmed: String { String(self[..<(lastIndex { $0 != " " }.map(index(after:)) ?? startIndex)]) }
}
