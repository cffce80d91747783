import Events
import Values

/// One operator of the expression language: the one place where its name, its arguments and its meaning stand. The reader
/// of definitions, the reference page and the comparison with a real mongod all go by it.
public struct ExpressionOperator: Sendable {
    /// As a definition writes it: `$add`.
    public let name: String
    public let parameters: [Parameter]
    public let form: Form
    /// What it gives, in one sentence.
    public let meaning: String
    /// How it is written.
    public let example: String
    let body: Body

    public enum Form: Sendable, Equatable {
        /// One argument, or a list of them. With `repeats`, the last parameter may come any number of times; `least`
        /// are needed.
        case list(least: Int, repeats: Bool = false)
        /// A map with the parameters' names.
        case named
        /// Either, as with `$cond`; a list has the first so many parameters.
        case listOrNamed(count: Int)
        /// `$switch`, whose branches are maps of their own: arguments are case, then, case, then, …, default.
        case branches
        /// `$let`: arguments are the values of the variables, then what uses them.
        case variables
    }

    enum Body: Sendable {
        /// Of the arguments' values.
        case values(@Sendable (Operands) throws(Refusal) -> Value?)
        /// Decides itself which arguments to evaluate, and with which variables.
        case expressions(@Sendable (Application, Context) throws(Refusal) -> Value?)
    }

    public struct Parameter: Sendable {
        public let name: String
        public let kind: Kind
        public let isOptional: Bool
        /// The variables that its expression may use beside those around the operator.
        public let scope: Scope

        public init(_ name: String, _ kind: Kind, isOptional: Bool = false, scope: Scope = .none) {
            self.name = name
            self.kind = kind
            self.isOptional = isOptional
            self.scope = scope
        }
    }

    /// What an argument is expected to be. Operators refuse the rest themselves.
    public enum Kind: String, Sendable {
        case any, number, integer, string, text = "string or number", date, array, object, condition
        case dateOrNumber = "number or date"
        /// Written as a list, of which each element is an expression.
        case arrays = "list of arrays"
        case values = "list of values"
        case pairs = "array of pairs"
        case type = "name of a type"
        case identifier = "24 hexadecimal digits"
        case unit = "unit of time"
        case timezone = "time zone"
        case pattern = "regular expression"
        case patternOptions = "letters of i, m, s and x"
        case weekday = "day of the week"
        case format, dateText = "text of a date"
        /// Written in the definition, and the same for every event.
        case constantName = "constant string"
        case constantFlag = "true or false"
        case constantOrder = "1, -1 or a map of fields"
        case variable = "name of a variable"
    }

    public enum Scope: Sendable {
        case none
        /// What `as` names, else `this`.
        case element
        /// `this` and `value`.
        case reduction
    }

    init(
        _ name: String, _ parameters: [Parameter], _ form: Form, _ meaning: String, _ example: String,
        _ body: @escaping @Sendable (Operands) throws(Refusal) -> Value?
    ) {
        self.init(name, parameters, form, meaning, example, body: .values(body))
    }

    init(_ name: String, _ parameters: [Parameter], _ form: Form, _ meaning: String, _ example: String, body: Body) {
        self.name = name
        self.parameters = parameters
        self.form = form
        self.meaning = meaning
        self.example = example
        self.body = body
    }

    /// Families of operators, as MongoDB's manual groups them.
    public struct Family: Sendable {
        public let name: String
        public let operators: [ExpressionOperator]
    }

    public static let families = [
        Family(name: "Arithmetic", operators: ArithmeticOperators.all + RoundingOperators.all),
        Family(name: "Trigonometry", operators: TrigonometryOperators.all),
        Family(name: "Comparison", operators: ComparisonOperators.all),
        Family(name: "Boolean", operators: BooleanOperators.all),
        Family(name: "Conditional", operators: ConditionalOperators.all),
        Family(name: "String", operators: StringOperators.all + SearchOperators.all + PatternOperators.all),
        Family(name: "Date", operators: DatePartOperators.all + DateArithmeticOperators.all + DateTextOperators.all),
        Family(name: "Array", operators: ArrayOperators.all + ElementOperators.all + IterationOperators.all),
        Family(name: "Accumulation", operators: AccumulationOperators.all),
        Family(name: "Object", operators: ObjectOperators.all),
        Family(name: "Set", operators: SetOperators.all),
        Family(name: "Type", operators: TypeOperators.all),
        Family(name: "Variable", operators: VariableOperators.all),
    ]

    /// By name.
    public static let all = Dictionary(families.flatMap(\.operators).map { ($0.name, $0) }) { first, _ in first }
}

/// An operator with its arguments.
public struct Application: Hashable, Sendable {
    public let op: ExpressionOperator
    /// In the order of the parameters, as many as there are; nil for one that is left out.
    public let arguments: [Expression?]
    /// The variables that it names.
    public let names: [String]

    public init(_ op: ExpressionOperator, _ arguments: [Expression?], names: [String] = []) {
        self.op = op
        self.arguments = arguments
        self.names = names
    }

    func evaluate(_ context: Context) throws(Refusal) -> Value? {
        guard let steps = context.steps else { return try compute(context) }
        let value = try compute(context)
        try steps.take(op, giving: value)
        return value
    }

    private func compute(_ context: Context) throws(Refusal) -> Value? {
        switch op.body {
        case .expressions(let body): return try body(self, context)
        case .values(let body):
            var values: [Value?] = []
            values.reserveCapacity(arguments.count)
            for argument in arguments { values.append(try argument?.evaluate(context)) }
            return try body(Operands(application: self, values: values))
        }
    }

    public static func == (left: Application, right: Application) -> Bool {
        left.op.name == right.op.name && left.arguments == right.arguments && left.names == right.names
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(op.name)
        hasher.combine(arguments)
        hasher.combine(names)
    }
}
